"""Steering by slots, with answers worked out by hand; knows no engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sociolect.common.digests import digest_of
from sociolect.common.errors import InputError
from sociolect.lm.requests import SteerRef, read_vectors, write_vectors
from sociolect.lm.steering_slots import SlotEntry, SteeringSlots, first_steered, slots_of_tokens, steering_digest


def test_first_steered_token() -> None:
    assert [first_steered(positions, 5) for positions in ("all", "last", "generated")] == [0, 4, 5]


def test_a_pass_that_mixes_prompts_parts_and_generated_tokens() -> None:
    # a whole prompt of 3 from its last token on; tokens 4 to 7 of a prompt of 6 and what follows it, generated ones
    # only; one generated token; an unsteered prompt; the last of a prompt's parts, steered throughout
    counts, computed = [3, 4, 1, 2, 2], [0, 4, 9, 0, 8]
    slots, first = [1, 2, 3, 0, 1], [2, 6, 7, 0, 0]
    starts = np.concatenate([[0], np.cumsum(counts)])
    found = slots_of_tokens(starts, np.array(computed), np.array(slots), np.array(first))
    assert found.dtype == np.int64
    assert found.tolist() == [0, 0, 1, 0, 0, 2, 2, 3, 0, 0, 1, 1]


class Block(nn.Module):
    """Adds 1, or passes a second output through."""

    def __init__(self, pair: bool) -> None:
        super().__init__()
        self.pair = pair

    def forward(self, x: torch.Tensor) -> Any:
        return (x + 1, "second") if self.pair else x + 1


def slots_on(skip: bool, pair: bool = False) -> tuple[SteeringSlots, list[nn.Module]]:
    blocks: list[nn.Module] = [Block(pair), Block(pair)]
    return SteeringSlots(blocks, 2, 3, 6, torch.float32, torch.device("cpu"), skip), blocks


def entry(file: Path, slot: int, key: str, layers: tuple[int, ...], strength: float) -> SlotEntry:
    ref = SteerRef(str(file), key, layers, strength)
    return SlotEntry(slot, ref, steering_digest(ref, read_vectors(file, [key])[key]))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    vectors = {"a": [[1.0, 2.0], [3.0, 4.0]], "b": [[10.0, 20.0], [30.0, 40.0]]}
    write_vectors({key: torch.tensor(value) for key, value in vectors.items()}, tmp_path / "vectors")
    return tmp_path / "vectors"


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("pair", [True, False])
def test_each_token_gets_the_row_of_its_slot(skip: bool, pair: bool, file: Path) -> None:
    slots, blocks = slots_on(skip, pair)

    def outputs(n: int) -> list[list[list[float]]]:
        found = [block(torch.zeros(n, 2)) for block in blocks]
        assert not pair or all(second == "second" for _, second in found)
        return [(value[0] if pair else value).tolist() for value in found]

    one = [1.0, 1.0]
    # a at both blocks, half of strength 4 at each; b at the second block
    slots.load([entry(file, 1, "a", (0, 1), 4.0), entry(file, 3, "b", (1,), 0.5)])
    assert outputs(3) == [[one] * 3] * 2
    slots.place(np.array([0, 1, 3, 1]))
    assert outputs(4) == [[one, [3.0, 5.0], one, [3.0, 5.0]], [one, [7.0, 9.0], [16.0, 21.0], [7.0, 9.0]]]
    # a shorter pass leaves nothing behind it
    slots.place(np.array([3]))
    assert outputs(4) == [[one] * 4, [[16.0, 21.0], one, one, one]]
    slots.place(torch.tensor([1, 0]))
    assert outputs(2) == [[[3.0, 5.0], one], [[7.0, 9.0], one]]
    slots.place(np.array([0, 0]))
    assert outputs(2) == [[one] * 2] * 2
    slots.place(np.array([1, 1]))
    slots.clear()
    assert outputs(2) == [[one] * 2] * 2
    # other steerings: what was in the slots is gone
    slots.load([entry(file, 2, "b", (0,), 0.1)])
    slots.place(np.array([1, 2, 3]))
    assert outputs(3) == [[one, [2.0, 3.0], one], [one] * 3]
    assert list(slots.digests) == [2]


def test_buffers_stay_at_their_places(file: Path) -> None:
    slots, _ = slots_on(skip=False)
    places = [tensor.data_ptr() for tensor in (*slots.tables, slots.slots)]
    slots.load([entry(file, 1, "a", (0, 1), 4.0)])
    slots.place(np.array([1, 0, 1]))
    slots.clear()
    assert [tensor.data_ptr() for tensor in (*slots.tables, slots.slots)] == places


def test_what_does_not_fit_a_slot_is_refused(file: Path, tmp_path: Path) -> None:
    slots, _ = slots_on(skip=True)
    good = entry(file, 1, "a", (0,), 1.0)
    for slot in (0, 4):
        with pytest.raises(InputError, match=f"slot {slot} does not exist; there are 3"):
            slots.load([SlotEntry(slot, good.steer, good.digest)])
    with pytest.raises(InputError, match="only add; mode 'rotate' needs backend: transformers"):
        slots.load([SlotEntry(1, replace(good.steer, mode="rotate"), good.digest)])
    write_vectors({"a": torch.ones(3, 2)}, tmp_path / "long")
    with pytest.raises(InputError, match=r"'a' is \(3, 2\), the model has \(2, 2\)"):
        slots.load([entry(tmp_path / "long", 1, "a", (0,), 1.0)])
    write_vectors({"a": torch.ones(2, 2)}, file)
    with pytest.raises(InputError, match="'a' has changed since the requests were made"):
        slots.load([good])


def test_digests_tell_apart_what_changes_a_text(file: Path) -> None:
    a, b = read_vectors(file, ["a", "b"]).values()

    def digest(vectors: torch.Tensor = a, **change: Any) -> str:
        values = {"key": "a", "layers": (0,), "strength": 1.0, "positions": "all", **change}
        return steering_digest(SteerRef("file", **values), vectors)

    made = [digest(), digest(b), digest(layers=(1,)), digest(layers=(0, 1)), digest(strength=2.0)]
    made += [digest(positions="last"), digest(mode="adaptive"), digest(mode="rotate")]
    assert len(set(made)) == len(made)
    # as it was before there were modes
    assert digest(mode="add") == digest_of([a[:1].numpy().tobytes().hex(), [0], 1.0, "all"]) == made[0]
    # not the name of the vector, nor the rows of blocks that are not steered
    assert digest(key="z") == digest(torch.stack([a[0], b[1]])) == made[0]
    with pytest.raises(InputError, match="positions 'prompt'"):
        digest(positions="prompt")
