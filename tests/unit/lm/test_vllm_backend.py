"""Rounds of requests, without vLLM."""

from __future__ import annotations

from sociolect.lm.requests import Request, SteerRef
from sociolect.lm.vllm_backend import rounds_of


def test_rounds_hold_no_more_steerings_than_there_are_slots() -> None:
    refs = {name: SteerRef("file", name, (0,), 1.0) for name in "abc"}
    made = [Request(f"{i}", (1,), 1, 0.0, 1.0, 0, refs.get(name)) for i, name in enumerate("ab-acbb-c")]

    def rounds(n: int) -> list[str]:
        return ["".join(r.steer.key if r.steer else "-" for r in part) for part in rounds_of(made, n)]

    assert rounds(3) == ["ab-acbb-c"]
    assert rounds(2) == ["ab-a", "cbb-c"]
    assert rounds(1) == ["a", "b-", "a", "c", "bb-", "c"]
    assert list(rounds_of([], 2)) == []
