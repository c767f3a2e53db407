"""When a run ends: its jobs along their graph, as many at once as there are places."""

from __future__ import annotations

import heapq
from bisect import insort
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter


@dataclass(frozen=True)
class Task:
    """A job: its length in seconds, the ids of those before it, the places that it takes, whether it runs already."""

    id: int
    seconds: float
    needs: Collection[int] = ()
    places: int = 1
    running: bool = False


def longest_chain(tasks: Sequence[Task]) -> float:
    """Seconds that the jobs take with a place for each: the longest way through the graph (its critical path)."""
    return max(_below(tasks).values(), default=0.0)


def wall_time(tasks: Sequence[Task], places: int) -> float:
    """Seconds until all tasks have ended: of those that can start, the one with the longest way behind it goes first.

    This is list scheduling, at most twice as long as the best order where each task takes one place (Graham 1969); a
    task that does not fit waits, smaller ones go ahead. What runs already keeps its place even if there are too few.

    Args:
        tasks: what is left of a run; a need that is none of them is done.
        places: how much runs at once. A task takes all of them if it asks for more.
    """
    below, by_id = _below(tasks), {task.id: task for task in tasks}
    waits_for = {task.id: {needed for needed in task.needs if needed in by_id} for task in tasks}
    then: dict[int, list[int]] = defaultdict(list)
    for task in tasks:
        for needed in waits_for[task.id]:
            then[needed].append(task.id)
    free, now = places, 0.0
    # the longest way first
    ready: list[tuple[float, int]] = []
    at_work: list[tuple[float, int]] = []

    def start(task: Task) -> None:
        nonlocal free
        free -= min(task.places, places)
        heapq.heappush(at_work, (now + task.seconds, task.id))

    for task in tasks:
        if task.running:
            start(task)
        elif not waits_for[task.id]:
            insort(ready, (-below[task.id], task.id))
    while ready or at_work:
        place = 0
        while free > 0 and place < len(ready):
            task = by_id[ready[place][1]]
            if min(task.places, places) <= free:
                del ready[place]
                start(task)
            else:
                place += 1
        now, ended = heapq.heappop(at_work)
        free += min(by_id[ended].places, places)
        for number in then[ended]:
            waits_for[number].discard(ended)
            if not waits_for[number] and not by_id[number].running:
                insort(ready, (-below[number], number))
    return now


def _below(tasks: Sequence[Task]) -> dict[int, float]:
    """Seconds from the start of each task to the end of the longest way behind it."""
    seconds = {task.id: task.seconds for task in tasks}
    after: dict[int, float] = defaultdict(float)
    below: dict[int, float] = {}
    needs = {task.id: [needed for needed in task.needs if needed in seconds] for task in tasks}
    for number in reversed(list(TopologicalSorter(needs).static_order())):
        below[number] = seconds[number] + after[number]
        for needed in needs[number]:
            after[needed] = max(after[needed], below[number])
    return below
