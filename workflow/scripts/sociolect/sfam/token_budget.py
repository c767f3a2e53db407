"""Batches of similar length under a token budget: the next one is made while the device works on this one.

A budget that does not fit into memory is halved, and the work goes on from the batch that failed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, pairwise
from typing import Any, TypeVar

import numpy as np
import torch

from sociolect.common.errors import InputError

__all__ = ["is_out_of_memory", "run_batches", "token_batches"]

P = TypeVar("P")
R = TypeVar("R")
log = logging.getLogger("sociolect")


def token_batches(lengths: np.ndarray, budget: int) -> Iterator[tuple[int, int]]:
    """Cut ascending lengths into runs [start, end) whose padded size (count x longest) fits the budget."""
    start = 0
    while start < len(lengths):
        end = start + 1
        # ascending: a run that ends before `end` is padded to lengths[end - 1]
        low, high = end, min(len(lengths), start + max(1, budget // max(1, int(lengths[start]))))
        while low < high:
            middle = (low + high + 1) // 2
            if (middle - start) * int(lengths[middle - 1]) <= budget:
                low = middle
            else:
                high = middle - 1
        yield start, low
        start = low


def run_batches(
    lengths: np.ndarray, budget: int, prepare: Callable[[int, int], P], forward: Callable[[P], R]
) -> Iterator[tuple[int, int, R]]:
    """Run sequences of ascending length in batches of at most `budget` padded tokens (one sequence at least).

    Args:
        lengths: tokens per sequence, ascending.
        budget: padded tokens per batch.
        prepare: what a batch [start, end) needs on the host; called a batch ahead, in another thread.
        forward: work of the device. Its result is handed on only when the next batch is under way, so that reading
            it does not leave the device idle.

    Yields:
        start, end and the result, in order.

    Raises:
        InputError: a single sequence does not fit into memory.
    """
    done = 0
    while done < len(lengths):
        ready: tuple[int, int, R] | None = None
        start = end = done
        try:
            for start, end, prepared in _prepared(lengths, done, budget, prepare):
                result = forward(prepared)
                if ready is not None:
                    yield ready
                    done = ready[1]
                ready = (start, end, result)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if end - start <= 1:
                raise InputError(
                    f"a single sequence of {int(lengths[start])} tokens does not fit into the memory of this device; "
                    "lower max_tokens, or use a larger GPU"
                ) from error
            budget = (end - start) * int(lengths[end - 1]) // 2
            log.warning("out of memory: going on with %d tokens per batch", budget)
        if ready is not None:
            yield ready
            done = ready[1]
            ready = None
        if done < len(lengths) and torch.cuda.is_available():
            torch.cuda.empty_cache()


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device, or the host's allocator, had no room."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


def _prepared(
    lengths: np.ndarray, first: int, budget: int, prepare: Callable[[int, int], P]
) -> Iterator[tuple[int, int, P]]:
    runs = ((first + start, first + end) for start, end in token_batches(lengths[first:], budget))
    with ThreadPoolExecutor(max_workers=1) as pool:
        futures: Iterator[Any] = ((run, pool.submit(prepare, *run)) for run in runs)
        for (run, future), _ in pairwise(chain(futures, [(None, None)])):
            yield *run, future.result()
