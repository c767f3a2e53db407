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


def test_nodes_that_fit_decide_how_many_may_be_left_out(stand_in: Path) -> None:
    lines = "n1|gpu:a100:2|a100,big|mixed", "n2|gpu:h100:2|h100|drained", "n3|(null)|cpu|idle*"
    command(stand_in, "sinfo", "; ".join(f"echo '{line}'" for line in lines))
    assert nodes_of("gpu") == {"n1": True, "n2": False, "n3": False}
    for asked in (("gpu", "a100"), ("gpu", "", "a100&big"), ("", "", "big")):
        assert list(nodes_of(*asked)) == ["n1"]
    # the only node with the GPU that is asked for is never left out, bad or not
    assert excluded(["n1"], [BadNode("n1", 1.0, "1", "r")], nodes_of("gpu", "a100")) == []


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
