"""Rounds of requests and what is refused, without vLLM."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sociolect.common.errors import InputError
from sociolect.lm.requests import Request, SteerRef
from sociolect.lm.vllm_backend import VllmBackend, rounds_of
from sociolect.settings.vllm import VllmSettings


def test_rounds_hold_no_more_steerings_than_there_are_slots() -> None:
    refs = {name: SteerRef("file", name, (0,), 1.0) for name in "abc"}
    made = [Request(f"{i}", (1,), 1, 0.0, 1.0, 0, refs.get(name)) for i, name in enumerate("ab-acbb-c")]

    def rounds(n: int) -> list[str]:
        return ["".join(r.steer.key if r.steer else "-" for r in part) for part in rounds_of(made, n)]

    assert rounds(3) == ["ab-acbb-c"]
    assert rounds(2) == ["ab-a", "cbb-c"]
    assert rounds(1) == ["a", "b-", "a", "c", "bb-", "c"]
    assert list(rounds_of([], 2)) == []


@pytest.mark.parametrize("mode", ["adaptive", "rotate"])
def test_modes_other_than_add_are_refused_before_anything_runs(mode: str) -> None:
    # it has no engine, and the file of vectors does not exist: whatever ran first would fail otherwise
    backend = object.__new__(VllmBackend)
    backend.settings, backend.n_layers, backend.guides = VllmSettings(), 3, True
    backend._config = SimpleNamespace(vocab_size=64, max_position_embeddings=64)
    steers = [None, SteerRef("none", "a", (0,), 1.0), SteerRef("none", "a", (0,), 1.0, mode=mode)]
    made = [Request(f"r{i}", (1, 2), 4, 0.0, 1.0, 0, steer) for i, steer in enumerate(steers)]
    message = (
        f"request 'r2' steers in mode '{mode}', vLLM only in mode 'add': set the stage's backend to transformers, "
        "or take the method out of steering.methods"
    )
    with pytest.raises(InputError) as raised:
        next(backend.generate(made))
    assert str(raised.value) == message
