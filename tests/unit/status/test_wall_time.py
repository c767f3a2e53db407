"""When a run ends, on graphs that are small enough to be worked out by hand."""

from __future__ import annotations

from sociolect.status.wall_time import Task, longest_chain, wall_time


def test_a_chain_takes_its_sum_and_what_stands_beside_it_takes_no_longer() -> None:
    #  a 3 -> b 4 -> d 2, a -> c 1 -> d
    diamond = [Task(0, 3.0), Task(1, 4.0, {0}), Task(2, 1.0, {0}), Task(3, 2.0, {1, 2})]
    assert longest_chain(diamond) == 9.0
    assert wall_time(diamond, 2) == 9.0
    assert wall_time(diamond, 1) == 10.0


def test_equal_jobs_share_the_places() -> None:
    shards = [Task(number, 5.0) for number in range(5)]
    assert [wall_time(shards, places) for places in (1, 2, 4, 5, 9)] == [25.0, 15.0, 10.0, 5.0, 5.0]
    assert longest_chain(shards) == 5.0


def test_what_the_longest_way_waits_for_goes_first() -> None:
    # two short ones, and a long chain behind a third: 1 + 8, the short ones beside it
    assert wall_time([Task(0, 4.0), Task(1, 4.0), Task(2, 1.0), Task(3, 8.0, {2})], 2) == 9.0


def test_a_job_with_many_threads_keeps_others_off() -> None:
    wide, narrow = Task(0, 6.0, places=2), [Task(1, 3.0), Task(2, 3.0)]
    assert wall_time([wide, *narrow], 2) == 9.0
    assert wall_time([wide, *narrow], 3) == 6.0 and wall_time([wide, *narrow], 4) == 6.0
    # it takes all that there is where it asks for more
    assert wall_time([wide, *narrow], 1) == 12.0


def test_what_runs_already_is_not_started_again() -> None:
    # 2 s are left of one that holds the only place
    assert wall_time([Task(0, 2.0, running=True), Task(1, 5.0), Task(2, 1.0, {0})], 1) == 8.0
    # more runs than there are places for, as after a change of CORES: the next one waits for both
    assert wall_time([Task(0, 2.0, running=True), Task(1, 4.0, running=True), Task(2, 1.0)], 1) == 5.0


def test_needs_that_are_done_hold_nothing_up() -> None:
    assert wall_time([Task(7, 2.0, {1, 2})], 1) == 2.0
    assert wall_time([], 3) == longest_chain([]) == 0.0


def test_no_order_beats_both_bounds() -> None:
    tasks = [Task(n, 1.0 + n % 3, {n - 3} if n > 2 else (), places=1 + n % 2) for n in range(12)]
    work = sum(task.seconds * task.places for task in tasks)
    for places in (2, 3, 5):
        assert wall_time(tasks, places) >= max(longest_chain(tasks), work / places)
