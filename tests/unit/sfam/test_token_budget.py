"""Batches within a budget of tokens, which halves when memory runs out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sociolect.common.errors import InputError
from sociolect.sfam import token_budget as batching
from sociolect.sfam.token_budget import run_batches, token_batches


def test_token_batches_cover_everything_within_the_budget() -> None:
    lengths = np.sort(np.random.default_rng(0).integers(1, 50, size=200))
    cuts = list(token_batches(lengths, 120))
    assert [s for s, _ in cuts] == [0, *[e for _, e in cuts[:-1]]] and cuts[-1][1] == 200
    assert all((e - s) * lengths[e - 1] <= 120 for s, e in cuts)
    assert list(token_batches(np.array([500, 600]), 100)) == [(0, 1), (1, 2)]


def test_batches_keep_the_budget_and_are_read_in_order() -> None:
    lengths = np.array([1, 2, 2, 3, 5, 5, 9])
    assert list(token_batches(lengths, 10)) == [(0, 3), (3, 5), (5, 6), (6, 7)]
    ran: list[tuple[int, int]] = []

    def forward(prepared: tuple[int, int]) -> int:
        ran.append(prepared)
        return sum(prepared)

    found = list(run_batches(lengths, 10, lambda start, end: (start, end), forward))
    assert found == [(0, 3, 3), (3, 5, 8), (5, 6, 11), (6, 7, 13)] and ran == [f[:2] for f in found]
    assert list(run_batches(lengths[:0], 10, lambda start, end: (start, end), forward)) == []


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_out_of_memory_halves_the_budget_and_goes_on(error: RuntimeError) -> None:
    lengths = np.arange(1, 41)
    fits, sizes = 100, []

    def forward(run: tuple[int, int]) -> list[int]:
        size = (run[1] - run[0]) * int(lengths[run[1] - 1])
        sizes.append(size)
        if size > fits:
            raise error
        return list(range(*run))

    done = [row for _, _, rows in run_batches(lengths, 400, lambda a, b: (a, b), forward) for row in rows]
    assert done == list(range(40)), "each sequence once, in order"
    assert max(sizes) > fits and sum(size > fits for size in sizes) <= 3, "it does not try the old budget again"
    with pytest.raises(InputError, match="a single sequence of 40 tokens does not fit"):
        list(run_batches(lengths[-1:], 400, lambda a, b: (a, b), lambda _: (_ for _ in ()).throw(error)))


def test_another_error_is_not_taken_for_memory() -> None:
    def forward(_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        list(run_batches(np.array([1, 2]), 10, lambda a, b: (a, b), forward))
    assert not batching.is_out_of_memory(RuntimeError("no"))
