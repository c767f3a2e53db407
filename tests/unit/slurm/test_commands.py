"""SLURM's words and nodes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from sociolect.slurm.commands import nodes_of, plain_state, seconds_of
from sociolect.slurm.evidence import gather
from sociolect.slurm.nodes import BadNode, excluded
from sociolect.slurm.runs import Submitted


def test_slurm_words() -> None:
    assert [plain_state(s) for s in ("CANCELLED by 0", "OUT_OF_ME+", "RUNNING")] == [
        "CANCELLED",
        "OUT_OF_ME",
        "RUNNING",
    ]
    assert [seconds_of(t) for t in ("1-02:03:04", "02:03", "UNLIMITED")] == [93784, 123, 0]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH for stand-ins of SLURM's commands."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def command(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def sinfo(folder: Path, *lines: str) -> None:
    """A stand-in that prints `%N|%T|%G|%f|%m|%c` of these nodes."""
    command(folder, "sinfo", "; ".join(f"echo '{line}'" for line in lines))


def test_nodes_that_fit_decide_how_many_may_be_left_out(stand_in: Path) -> None:
    sinfo(
        stand_in, "n1|mixed|gpu:a100:2|a100,big|9000|8", "n2|drained|gpu:h100:2|h100|9000|8", "n3|idle*|(null)|cpu|9|8"
    )
    assert nodes_of("gpu") == {"n1": True, "n2": False, "n3": False}
    for asked in (("gpu", "a100"), ("gpu", "", "a100&big"), ("", "", "big")):
        assert list(nodes_of(*asked)) == ["n1"]
    # the only node with the GPU that is asked for is never left out, bad or not
    assert excluded(["n1"], [BadNode("n1", 1.0, "1", "r")], nodes_of("gpu", "a100")) == []


def test_only_node_that_is_large_enough_is_never_left_out(stand_in: Path) -> None:
    big, small = "big01|idle|gpu:a100:4(S:0,2-3),shard:8|(null)|512000|64", "small01|idle|gpu:1|(null)|4000|4"
    sinfo(stand_in, big, small, "cpu01|idle|(null)|(null)|9000|8")
    bad = [BadNode("big01", 1.0, "1", "r")]
    for name, value in (("mem_mb", 9001), ("cpus", 9), ("gpus", 2)):
        fitting = nodes_of("p", **{name: value})  # type: ignore[arg-type]
        assert list(fitting) == ["big01"] and excluded(["big01"], bad, fitting) == []
    assert list(nodes_of("p", mem_mb=9000, cpus=8)) == ["big01", "cpu01"]
    assert list(nodes_of("p", gpus=1)) == ["big01", "small01"]


def test_node_that_is_kept_for_others_or_switched_off_is_no_place_for_a_retry(stand_in: Path) -> None:
    states = {"reserved": False, "blocked": False, "powered_down": False, "idle~": True, "powered_down~": True}
    sinfo(stand_in, *(f"{state}|{state}|(null)|f|9|8" for state in states))
    assert nodes_of("p") == states


def test_node_is_left_out_under_a_constraint_with_an_or_and_a_model_with_a_hyphen(stand_in: Path) -> None:
    model = "nvidia_a100-sxm4-80gb"
    sinfo(
        stand_in,
        f"g1|idle|gpu:{model}:4(S:0-1)|a100,ib|9|8",
        f"g2|idle|gpu:{model}:4|a100|9|8",
        "g3|idle|gpu:h100-96:4|h100,ib|9|8",
        "g4|idle|gpu:v100:2|v100|9|8",
    )
    for constraint, names in (
        ("a100|h100", ["g1", "g2", "g3"]),
        ("a100&ib|h100", ["g1", "g3"]),
        ("a100,ib", ["g1"]),
        # SLURM's own to judge: all nodes of the partition, so that some can be left out
        ("[a100|h100]", ["g1", "g2", "g3", "g4"]),
        ("(a100|h100)&ib", ["g1", "g2", "g3", "g4"]),
        ("!v100", ["g1", "g2", "g3", "g4"]),
    ):
        assert list(nodes_of("gpu", "", constraint)) == names
        assert excluded(["g1"], [], nodes_of("gpu", "", constraint)) == (["g1"] if len(names) > 1 else [])
    assert list(nodes_of("gpu", model)) == ["g1", "g2"]


def test_time_of_a_suspension_is_no_time_without_progress(stand_in: Path) -> None:
    then = time.time() - 1000
    beat = {"stage": "model", "time": then, "limit_s": 300, "job": "7"}
    (stand_in / "r.log").write_text("[start] program=r job=7 \n")
    (stand_in / "r.log.beat").write_text(json.dumps(beat))
    # by the file system's clock, not by that of the node
    os.utime(stand_in / "r.log.beat", (then, then))
    sent = Submitted("7", "u", "r", log=str(stand_in / "r.log"))
    facts = "JobId=7 JobState=RUNNING RunTime=00:09:00 NodeList=n1 NumNodes=1 SuspendTime="
    command(stand_in, "scontrol", f"echo {facts}None")
    assert gather(sent, None).overdue > 600
    resumed = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() - 10))
    command(stand_in, "scontrol", f"echo {facts}{resumed}")
    assert gather(sent, None).overdue == 0
    command(stand_in, "scontrol", f"echo {facts.replace('RUNNING', 'SUSPENDED')}None")
    assert gather(sent, None).overdue == 0
