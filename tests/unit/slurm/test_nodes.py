"""Bad nodes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from sociolect.slurm.nodes import BadNode, bad_nodes, excluded, forget_bad_node, record_bad_node


def test_bad_nodes_expire_are_capped_and_never_all_of_a_partition(tmp_path: Path) -> None:
    record_bad_node(tmp_path, "node01", "5", "D: no\n interpreter")
    (found,) = bad_nodes(tmp_path)
    assert (found.node, found.job, found.reason) == ("node01", "5", "D: no interpreter")
    assert bad_nodes(tmp_path, found.time + 86401) == [] and not list((tmp_path / "bad_nodes").iterdir())
    many = [BadNode(f"n{i:02}", 100.0 - i, "1", "r") for i in range(20)]
    assert excluded([], many, up(*range(20))) == [f"n{i:02}" for i in range(8)], "the newest eight"
    assert excluded([], many[:2], up(0, 1)) == ["n00"]
    assert excluded([], many[:1], up(0)) == [] and excluded([], many, {"other": True}) == []


def up(*numbers: int, down: tuple[int, ...] = ()) -> dict[str, bool]:
    return {f"n{i:02}": i not in down for i in numbers}


def test_node_that_failed_a_job_is_left_out_of_its_next_attempt_while_another_can_be_used() -> None:
    assert excluded(["n00"], [], up(0, 1, 2)) == ["n00"], "whatever the cause"
    assert excluded(["n01", "n00"], [], up(0, 1, 2)) == ["n00", "n01"]
    # the newest first: the third attempt's node before the first one's, and never all
    assert excluded(["n02", "n01", "n00"], [], up(0, 1, 2)) == ["n01", "n02"]
    assert excluded(["n00"], [], up(0)) == []
    assert excluded(["n00"], [], up(0, 1, down=(1,))) == [], "nowhere else to go"
    assert excluded(["n00"], [], up(1, 2)) == [], "not of this partition"
    # a recorded one is worse than one that failed this job alone
    bad = [BadNode("n01", 1.0, "1", "r")]
    assert excluded(["n00"], bad, up(0, 1, 2)) == ["n00", "n01"] and excluded(["n00"], bad, up(0, 1)) == ["n01"]
    assert excluded(["n00"], bad, up(0, 1, 2, down=(2,))) == ["n01"], "it would wait for the third one without end"
    # of two recorded ones it is the other's turn
    assert excluded(["n00"], [*bad, BadNode("n00", 1.0, "1", "r")], up(0, 1)) == ["n00"]


def test_record_is_taken_back_for_its_own_cause_alone(tmp_path: Path) -> None:
    record_bad_node(tmp_path, "node01", "5", "E: cannot reach")
    forget_bad_node(tmp_path, "node01", "D")
    forget_bad_node(tmp_path, "node02", "E")
    assert [bad.node for bad in bad_nodes(tmp_path)] == ["node01"]
    forget_bad_node(tmp_path, "node01", "E")
    assert bad_nodes(tmp_path) == []


def test_environment_that_is_made_anew_clears_the_nodes_that_it_did_not_run_on(tmp_path: Path) -> None:
    env, link = tmp_path / "env", ".venv/bin/python is a link to /usr/bin/python3.11, which is not on"
    env.mkdir()
    stamp = env / ".pins-1"
    stamp.touch()
    os.utime(stamp, (1.0, 1.0))
    for node, reason in (
        ("g1", f"preflight 91: {link} g1"),
        ("g2", f"D: {link} g2"),
        ("g3", "preflight 95: no answer"),
    ):
        record_bad_node(tmp_path, node, "5", reason)
    assert {bad.node for bad in bad_nodes(tmp_path, env=env)} == {"g1", "g2", "g3"}
    later = time.time() + 60
    os.utime(stamp, (later, later))
    assert [bad.node for bad in bad_nodes(tmp_path, env=env)] == ["g3"], "a GPU is not mended by make setup"
