"""Modes of steering on tiny random models: what comes out of a block, row by row, and whole answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from sociolect.common.errors import InputError
from sociolect.lm.hooks import read_blocks
from sociolect.lm.requests import MODES, POSITIONS, Request, SteerRef, floor_key, read_vectors, write_vectors
from sociolect.lm.row_steering import RowSteering, lifted, turned
from sociolect.lm.transformers_backend import TransformersBackend, batches_of
from tiny_models import ARCHITECTURES, save_speaker, tiny, word_tokenizer

torch.set_num_threads(1)

LAYERS = 3
# padded on the left by 0, 2 and 4 tokens
MASK = torch.tensor([[1] * 6, [0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1]])
IDS = torch.tensor([[5, 9, 11, 2, 40, 7], [0, 0, 3, 4, 5, 6], [0, 0, 0, 0, 8, 30]])
REF = SteerRef("f", "a", (1,), 2.0, "all")


def made_vectors(scale: float = 1.0, floor: float = 0.0) -> dict[str, torch.Tensor]:
    """Two random vectors of length about 0.6 a layer, and their floors."""
    generator = torch.Generator().manual_seed(3)
    vectors = {key: scale * torch.randn(LAYERS, 32, generator=generator) / 10 for key in "ab"}
    return {**vectors, **{floor_key(key): torch.full((LAYERS, 1), floor) for key in "ab"}}


def of_file(vectors: dict[str, torch.Tensor]) -> dict[tuple[str, str], torch.Tensor]:
    return {("f", key): value for key, value in vectors.items()}


@torch.inference_mode()
def outputs(
    model: Any, steers: Sequence[SteerRef | None], vectors: dict[str, torch.Tensor], layer: int, n: int = 3
) -> tuple[torch.Tensor, torch.Tensor]:
    """What a block gives for the prompts, [n, 6, 32]: before and after it is steered."""
    steering = RowSteering.of(steers, of_file(vectors), torch.device("cpu"))
    assert steering is not None
    # hooks fire in the order in which they were put on
    with read_blocks(model, [layer]) as before, steering.hooks(model), read_blocks(model, [layer]) as after:
        steering.at_prompt(MASK[:n], torch.arange(n))
        model(input_ids=IDS[:n], attention_mask=MASK[:n])
    return before[layer], after[layer]


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("layers", [(1,), (0, 2)])
def test_adaptive_adds_what_is_missing_and_no_more(name: str, layers: tuple[int, ...]) -> None:
    model, vectors, layer = tiny(name), made_vectors(), layers[-1]
    ref = replace(REF, layers=layers, mode="adaptive", strength=0.5)
    row = vectors["a"][layer]
    unit = row / row.norm()
    before, _ = outputs(model, [None, ref, ref], vectors, layer)
    # a floor in the middle of what the tokens have, less what the strength adds to it
    middle = (before @ unit)[MASK.bool()].median()
    vectors["floor/a"][layer] = middle - 0.5 * row.norm() / len(layers)
    vectors["floor/a"][0] = min(float(vectors["floor/a"][0]), -100.0) if layers[0] == 0 else -100.0
    before, after = outputs(model, [ref] * 3, vectors, layer)
    projections, found, real = before @ unit, after @ unit, MASK.bool()
    least = vectors["floor/a"][layer] + 0.5 * row.norm() / len(layers)
    below = (projections < least - 1e-4) & real
    above = (projections > least + 1e-4) & real
    assert below.sum() >= 3 and above.sum() >= 3
    assert torch.allclose(found[below], least.expand(int(below.sum())), atol=1e-5)
    assert torch.equal(after[above], before[above]) and torch.equal(after[~real], before[~real])

    def across(states: torch.Tensor) -> torch.Tensor:
        return states - (states @ unit).unsqueeze(2) * unit

    assert torch.allclose(across(after), across(before), atol=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("layers", [(1,), (0, 1)])
def test_rotating_keeps_norms_and_turns_towards_the_vector(name: str, layers: tuple[int, ...]) -> None:
    vectors, real = made_vectors(), MASK.bool()
    ref = replace(REF, layers=layers, mode="rotate")
    before, after = outputs(tiny(name), [ref] * 3, vectors, 1)
    assert torch.allclose(after.norm(dim=2), before.norm(dim=2), rtol=1e-5)
    cosine = torch.nn.functional.cosine_similarity
    row = vectors["a"][1]
    gained = (cosine(after, row.expand_as(after), dim=2) - cosine(before, row.expand_as(before), dim=2))[real]
    assert gained.min() > 1e-3
    pushed = before + 2.0 / len(layers) * row
    assert torch.allclose(cosine(after, pushed, dim=2)[real], torch.ones(int(real.sum())), atol=1e-5)
    assert torch.equal(after[~real], before[~real])


def test_by_hand() -> None:
    hidden = torch.tensor([[[3.0, 4.0], [6.0, 4.0]], [[3.0, 4.0], [0.0, 0.0]]])
    units = torch.tensor([[[1.0, 0.0]], [[0.0, 0.0]]])
    targets = torch.tensor([[[5.0]], [[-torch.inf]]])
    assert lifted(hidden, units, targets).tolist() == [[[5, 4], [6, 4]], [[3, 4], [0, 0]]]
    # a projection that is negative is lifted, too; each token has its target
    targets = torch.tensor([[[5.0], [7.0]], [[-torch.inf], [-torch.inf]]])
    assert lifted(-hidden, units, targets)[0].tolist() == [[5, -4], [7, -4]]
    addition = torch.tensor([[[3.0, 4.0], [0.0, 0.0]], [[-3.0, 6.0], [1.0, 1.0]]])
    assert turned(hidden, addition).tolist() == [[[3, 4], [6, 4]], [[0, 5], [0, 0]]]
    # what would have no direction left keeps the one that it has
    assert turned(hidden, -hidden).tolist() == hidden.tolist()


def test_in_bfloat16_norms_are_float32_and_states_keep_their_type() -> None:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(2, 5, 256, generator=generator).bfloat16()
    unit = torch.nn.functional.normalize(torch.randn(2, 1, 256, generator=generator), dim=2)
    found = lifted(hidden, unit, torch.full((2, 1, 1), 4.0))
    assert found.dtype == torch.bfloat16
    assert torch.allclose((found.float() * unit).sum(2), torch.tensor(4.0), atol=0.02)
    found = turned(hidden, unit)
    assert found.dtype == torch.bfloat16
    assert torch.allclose(found.float().norm(dim=2), hidden.float().norm(dim=2), rtol=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_nothing_to_add_is_exactly_the_identity(mode: str) -> None:
    model = tiny("llama")
    # a floor that no token reaches: only strength 0, or no vector, keeps it from being lifted
    zero = replace(REF, mode=mode, strength=0.0, layers=(0, 1, 2))
    before, after = outputs(model, [zero] * 3, made_vectors(floor=50.0), 1)
    assert torch.equal(after, before)
    vectors = made_vectors(floor=50.0)
    vectors["a"][1] = 0
    before, after = outputs(model, [replace(zero, strength=3.0, layers=(1,))] * 3, vectors, 1)
    assert torch.equal(after, before)
    # nor at a block that is not named, whatever other rows do there
    steers = [replace(zero, strength=3.0, layers=(2,)), replace(REF, mode="rotate"), replace(REF, mode="adaptive")]
    before, after = outputs(model, steers, made_vectors(floor=50.0), 1)
    assert torch.equal(after[0], before[0])
    assert not torch.equal(after[1], before[1]) and not torch.equal(after[2], before[2])


@pytest.mark.parametrize("mode", MODES)
def test_only_the_wanted_tokens_change_and_padding_never(mode: str) -> None:
    for positions, wanted in (("all", MASK.bool()), ("last", MASK.cumsum(1) == MASK.sum(1, keepdim=True))):
        wanted = wanted & MASK.bool()
        ref = replace(REF, mode=mode, positions=positions)
        before, after = outputs(tiny("llama"), [ref] * 3, made_vectors(floor=5.0), 1)
        assert torch.equal((after != before).any(2), wanted)
    before, after = outputs(tiny("llama"), [replace(REF, mode=mode, positions="generated")] * 3, made_vectors(), 1)
    assert torch.equal(after, before)


def test_rows_that_add_are_as_without_other_modes() -> None:
    vectors = made_vectors(floor=5.0)
    add = replace(REF, layers=(0, 1))
    model = tiny("qwen3")
    before, alone = outputs(model, [add, None, None], vectors, 1)
    pushed = torch.zeros_like(before)
    pushed[0] = vectors["a"][1] * (2.0 / 2)
    assert torch.equal(alone, before + pushed)
    others = [replace(REF, mode="adaptive", key="b"), replace(REF, mode="rotate", layers=(0, 1, 2))]
    _, mixed = outputs(model, [add, *others], vectors, 1)
    assert torch.equal(mixed[0], alone[0])
    assert not torch.equal(mixed[1], alone[1]) and not torch.equal(mixed[2], alone[2])


def test_rows_keep_their_modes_when_others_leave() -> None:
    vectors = made_vectors(floor=5.0)
    steers = [replace(REF, mode="rotate"), None, REF, replace(REF, mode="adaptive")]
    steering = RowSteering.of(steers, of_file(vectors), torch.device("cpu"))
    assert steering is not None
    hidden = torch.randn(4, 1, 32, generator=torch.Generator().manual_seed(1))
    steering.at_generated()
    whole = steering._changed(1, hidden)
    assert whole is not None
    assert torch.equal(whole[1], hidden[1]) and torch.allclose(whole[0].norm(), hidden[0].norm())
    unit = vectors["a"][1] / vectors["a"][1].norm()
    assert torch.allclose(whole[3] @ unit, 5.0 + 2 * vectors["a"][1].norm())
    rows = torch.tensor([0, 3])
    steering.keep(rows)
    steering.at_generated()
    left = steering._changed(1, hidden[rows])
    assert left is not None and torch.allclose(left, whole[rows])


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> TransformersBackend:
    folder = save_speaker(tmp_path_factory.mktemp("lm"), word_tokenizer())
    return TransformersBackend(folder, 10_000, device="cpu")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("vectors") / "v.safetensors"
    write_vectors(made_vectors(scale=10.0, floor=1.0), path)
    return str(path)


def asked(steer: Callable[[int], SteerRef | None], temperature: float) -> list[Request]:
    """Eight prompts of 3 to 10 tokens, each three times, and up to 12 more."""
    made = []
    for i in range(24):
        ids = (2, *((7 * (i % 8) + 11 * j) % 50 + 12 for j in range(2 + i % 8)))
        made.append(Request(f"r{i:02d}", ids, 7 + i % 6, temperature, 1.0, 7919 * i, steer(i)))
    return made


def always(ref: SteerRef | None) -> Callable[[int], SteerRef | None]:
    return lambda i: ref


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_batch_of_all_modes_equals_its_rows_alone(
    backend: TransformersBackend, file: str, temperature: float
) -> None:
    def steer(i: int) -> SteerRef | None:
        layers = ((0,), (1,), (0, 1, 2))[i // 4 % 3]
        ref = SteerRef(file, "ab"[i % 2], layers, 1.0 + i % 3, POSITIONS[i // 2 % 3])
        return None if i % 4 == 3 else replace(ref, mode=MODES[i % 4])

    made = asked(steer, temperature)
    assert len(batches_of(made, 10_000)) == 1
    together = {result.id: result for result in backend.generate(made)}
    for request in made:
        assert list(backend.generate([request])) == [together[request.id]], request
    # and modes differ
    ways = [
        {r.id: r.token_ids for r in backend.generate(asked(always(ref), temperature))}
        for ref in (None, *(SteerRef(file, "a", (0, 1), 2.0, "all", mode) for mode in MODES))
    ]
    for a, way in enumerate(ways):
        assert all(way != other for other in ways[:a])


@pytest.mark.parametrize("mode", MODES)
def test_strength_zero_answers_as_without_steering(backend: TransformersBackend, file: str, mode: str) -> None:
    plain = {r.id: r for r in backend.generate(asked(always(None), 1.0))}
    for positions in POSITIONS:
        ref = SteerRef(file, "a", (0, 2), 0.0, positions, mode)
        assert {r.id: r for r in backend.generate(asked(always(ref), 1.0))} == plain


def test_floors_are_written_read_and_checked(backend: TransformersBackend, tmp_path: Path) -> None:
    path, vectors = tmp_path / "v", made_vectors(floor=2.5)
    write_vectors(vectors, path)
    found = read_vectors(path, ["a", "floor/a"])
    assert torch.equal(found["a"], vectors["a"]) and found["floor/a"].tolist() == [[2.5]] * LAYERS

    def refuse(message: str, change: dict[str, torch.Tensor]) -> None:
        with pytest.raises(InputError, match=message):
            write_vectors({**vectors, **change}, path)

    refuse(r"'floor/a' is \(3, 32\), it must be \(3, 1\)", {"floor/a": vectors["a"]})
    refuse(r"'floor/a' is \(2, 1\), it must be \(3, 1\)", {"floor/a": torch.zeros(2, 1)})
    refuse("'floor/c' has no steering vector 'c' beside it", {"floor/c": torch.zeros(LAYERS, 1)})
    refuse("'floor/b' is not finite", {"floor/b": torch.full((LAYERS, 1), torch.nan)})
    refuse("must all be", {"c": torch.zeros(LAYERS, 1)})
    with pytest.raises(InputError, match="must all be"):
        write_vectors({"floor/a": torch.zeros(LAYERS, 1)}, path)
    # no floor, or one of another shape, in a file that was made otherwise
    ref = SteerRef(str(path), "a", (0,), 1.0, mode="adaptive")
    write_vectors({"a": vectors["a"]}, path)
    with pytest.raises(InputError, match="v: no 'floor/a', which mode adaptive needs"):
        next(backend.generate(asked(lambda i: ref if i == 23 else None, 0.0)))
    save_file({"a": vectors["a"], "floor/a": vectors["a"].clone()}, path)
    with pytest.raises(InputError, match=r"'floor/a' is \(3, 32\), the model needs \(3, 1\)"):
        next(backend.generate(asked(always(ref), 0.0)))
