"""Nodes of a small graph: make -> cut [1..3] -> join -> all, with one cut failed, and arrows that others imply."""

from __future__ import annotations

from sociolect.dag.folding import nodes_of_jobs, nodes_of_rules, without_implied
from sociolect.dag.job_states import JobState
from sociolect.dag.planned import Job


def job(number: int, rule: str, *needs: int, **wildcards: str) -> Job:
    return Job(number, rule, "corpus", wildcards, frozenset(needs))


JOBS = [
    job(0, "all", 1, 5),
    job(1, "join", 2, 3, 4, 5, text="single"),
    job(2, "cut", 5, text="single", shard="1-of-3"),
    job(3, "cut", 5, text="single", shard="2-of-3"),
    job(4, "cut", 5, text="single", shard="3-of-3"),
    job(5, "make"),
]
DONE = JobState("done", seconds=2.0)
STATES = [JobState("to do"), JobState("to do"), DONE, JobState("failed", seconds=50.0), DONE, DONE]


def test_twins_are_one_node_in_the_worst_state_with_the_time_of_those_done() -> None:
    nodes = {node.name: node for node in nodes_of_jobs(JOBS, STATES)}
    assert list(nodes) == ["job-0", "job-1", "job-2", "job-5"]
    cut = nodes["job-2"]
    assert cut.counts == {"failed": 1, "done": 2} and list(cut.counts) == ["failed", "done"]
    assert (cut.state, cut.seconds, cut.shared) == ("failed", 4.0, ["single"])
    assert nodes["job-1"].needs == {"job-2", "job-5"} and nodes["job-0"].needs == {"job-1", "job-5"}
    assert nodes["job-0"].seconds is None


def test_jobs_of_a_rule_between_others_stay_apart() -> None:
    jobs = [
        job(0, "all", 1, 3),
        job(1, "label", 2, text="a"),
        job(2, "make"),
        job(3, "label", 4, text="b"),
        job(4, "make"),
    ]
    names = [node.name for node in nodes_of_jobs(jobs, [DONE] * 5)]
    assert names == ["job-0", "job-1", "job-2", "job-3", "job-4"]


def test_an_arrow_that_a_longer_way_implies_is_left_out() -> None:
    nodes = without_implied(nodes_of_jobs(JOBS, STATES))
    assert {node.name: set(node.needs) for node in nodes} == {
        "job-0": {"job-1"},
        "job-1": {"job-2"},
        "job-2": {"job-5"},
        "job-5": set(),
    }


def test_rules_may_need_each_other_in_a_circle_and_never_themselves() -> None:
    jobs = [job(0, "label", 1, text="b"), job(1, "ask", 2), job(2, "label", 3, text="a"), job(3, "label", text="c")]
    nodes = nodes_of_rules(nodes_of_jobs(jobs, [DONE] * 4))
    assert {node.rule: set(node.needs) for node in nodes} == {"label": {"job-1"}, "ask": {"job-0"}}
    assert nodes[0].counts == {"done": 3}
