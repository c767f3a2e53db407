"""Submissions: none is lost, none is made twice."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from sociolect.slurm import runs, submission

FACTS = {"name": "uuid", "rule": "r", "comment": "rule_r_wildcards_a", "slurm_log": "logs/%j.log"}


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH for stand-ins of SLURM's commands, and no waiting."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(submission.time, "sleep", lambda seconds: None)
    return tmp_path


def command(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def test_submission_outlasts_a_restart_of_the_controller(stand_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = runs.begin_run(stand_in, "", [])
    away = 'echo "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)" >&2'
    command(
        stand_in,
        "sbatch",
        f"echo x >>{stand_in}/calls; [ $(wc -l <{stand_in}/calls) -ge 3 ] || {{ {away}; exit 1; }}; echo 42",
    )
    command(stand_in, "squeue", "exit 1")
    assert submission.submit(run, dict(FACTS), ["sbatch", "--wrap=x"]) == 0
    assert capsys.readouterr().out == "42\n"
    (sent,) = runs.submissions(run)
    assert (sent.job, sent.slurm_log, sent.rule) == ("42", "logs/42.log", "r")


@pytest.mark.parametrize(
    "words",
    [
        "Socket timed out on send/recv",
        # seen where a controller was killed while it was spoken to
        "slurm_msg_sendto: address:port=127.0.0.1:16817 msg_type=4003: Unexpected missing socket error",
        "Batch job submission failed: Message receive failure",
    ],
)
def test_submission_without_an_answer_is_looked_up_and_not_repeated(stand_in: Path, words: str) -> None:
    run = runs.begin_run(stand_in, "", [])
    runs.add_line(run, {"name": "uuid", "rule": "r", "job": "6", "comment": FACTS["comment"]})
    command(
        stand_in,
        "sbatch",
        f'echo x >>{stand_in}/calls; echo "sbatch: error: {words}" >&2; exit 1',
    )
    command(stand_in, "squeue", 'echo "6|rule_r_wildcards_a"; echo "7|rule_r_wildcards_a"; echo "8|rule_r_wildcards_b"')
    assert submission.submit(run, dict(FACTS), ["sbatch"]) == 0
    assert [s.job for s in runs.submissions(run)] == ["6", "7"], "job 6 was known, 8 is another"
    assert (stand_in / "calls").read_text() == "x\n"


def test_id_that_a_crashed_controller_gives_out_again_is_not_used(stand_in: Path) -> None:
    run = runs.begin_run(stand_in, "", [])
    runs.add_line(run, {"name": "uuid", "rule": "other", "job": "6", "comment": "rule_other"})
    command(stand_in, "sbatch", f"echo x >>{stand_in}/calls; echo $((5 + $(wc -l <{stand_in}/calls)))")
    command(stand_in, "scancel", f'echo "$@" >>{stand_in}/cancelled')
    assert submission.submit(run, dict(FACTS), ["sbatch"]) == 0
    assert [(s.job, s.rule) for s in runs.submissions(run)] == [("6", "other"), ("7", "r")]
    assert (stand_in / "cancelled").read_text() == "--name=uuid 6\n"


def test_wrong_request_is_not_repeated(stand_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = runs.begin_run(stand_in, "", [])
    command(
        stand_in,
        "sbatch",
        f'echo x >>{stand_in}/calls; echo "sbatch: error: invalid partition specified: x" >&2; exit 1',
    )
    assert submission.submit(run, dict(FACTS), ["sbatch"]) == 1
    assert (stand_in / "calls").read_text() == "x\n" and "invalid partition" in capsys.readouterr().err
    (refused,) = runs.refusals(run)
    assert refused.refused == "sbatch: error: invalid partition specified: x" and runs.submissions(run) == []


def test_job_that_only_a_node_left_out_can_run_is_submitted_with_it(stand_in: Path) -> None:
    run = runs.begin_run(stand_in, "", [])
    refuse = 'echo "sbatch: error: Batch job submission failed: Requested node configuration is not available" >&2'
    command(
        stand_in,
        "sbatch",
        f'echo "$*" >>{stand_in}/calls; case "$*" in *--exclude*|*900*) {refuse}; exit 1;; esac; echo 42',
    )
    call = ["sbatch", "--mem", "8", "--exclude=big01,n2"]
    assert submission.submit(run, FACTS | {"excluded": "big01,n2"}, call) == 0
    assert (stand_in / "calls").read_text() == "--mem 8 --exclude=big01,n2\n--mem 8\n"
    (sent,) = runs.submissions(run)
    # the watcher leaves it alone, too
    assert (sent.job, sent.excluded, sent.own_exclude) == ("42", "", True) and runs.refusals(run) == []
    # too large for every node, and too large with what the user leaves out
    assert submission.submit(run, FACTS | {"excluded": "n2"}, ["sbatch", "--mem", "900", "--exclude=n2"]) == 1
    assert submission.submit(run, dict(FACTS), ["sbatch", "--exclude=n2"]) == 1
    assert len(runs.refusals(run)) == 2 and len((stand_in / "calls").read_text().splitlines()) == 5


def test_submission_without_an_answer_waits_for_the_queue_before_it_is_repeated(stand_in: Path) -> None:
    run = runs.begin_run(stand_in, "", [])
    command(stand_in, "sbatch", f'echo x >>{stand_in}/calls; echo "sbatch: error: Socket timed out" >&2; exit 1')
    # the queue does not answer twice; then it has the job, ended already
    command(
        stand_in,
        "squeue",
        f'echo x >>{stand_in}/asked; [ $(wc -l <{stand_in}/asked) -ge 3 ] && echo "7|{FACTS["comment"]}"',
    )
    assert submission.submit(run, dict(FACTS), ["sbatch"]) == 0
    assert (stand_in / "calls").read_text() == "x\n" and [s.job for s in runs.submissions(run)] == ["7"]


def test_nothing_is_submitted_for_a_snakemake_that_is_gone(stand_in: Path) -> None:
    run = runs.begin_run(stand_in, "", [])
    driver = run / "driver.json"
    driver.write_text(driver.read_text().replace(f'"pid": {os.getpid()}', '"pid": 999999999'))
    command(stand_in, "sbatch", "echo 9")
    assert submission.submit(run, dict(FACTS), ["sbatch"]) == 1
    assert runs.submissions(run) == [], "its Snakemake is gone: nothing is submitted"


def test_job_submitted_while_the_run_is_stopped_is_cancelled(stand_in: Path) -> None:
    run = runs.begin_run(stand_in, "", [])
    command(stand_in, "sbatch", f"touch {run}/stopping; echo 'welcome to the cluster'; echo '9;other'")
    command(stand_in, "scancel", f'echo "$@" >{stand_in}/cancelled')
    assert submission.submit(run, dict(FACTS), ["sbatch"]) == 1
    assert (stand_in / "cancelled").read_text() == "--name=uuid 9\n"


@pytest.mark.parametrize(
    "word",
    ["AssocMaxSubmitJobLimit", "QOSMaxSubmitJobPerUserLimit", "AssocGrpSubmitJobsLimit", "QOSGrpSubmitJobsLimit"],
)
def test_limit_of_submitted_jobs_is_waited_for_and_said(stand_in: Path, word: str) -> None:
    run = runs.begin_run(stand_in, "", [])
    limit = f'echo "sbatch: error: {word}" >&2; ls waits.* >noted 2>/dev/null; exit 1'
    command(stand_in, "sbatch", f"cd {run}; echo x >>calls; [ $(wc -l <calls) -ge 4 ] || {{ {limit}; }}; echo 42")
    assert submission.submit(run, dict(FACTS), ["sbatch"], patience=0.0) == 0
    assert [sent.job for sent in runs.submissions(run)] == ["42"] and runs.refusals(run) == []
    assert (run / "noted").read_text().startswith("waits.") and not list(run.glob("waits.*"))


def test_submission_waits_for_room_before_and_after_the_job_is_taken(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.begin_run(stand_in, "", [])
    full = iter(["/disk: full", "/disk: full"])
    monkeypatch.setattr(submission, "no_room", lambda folders: next(full, ""))
    add_line, failing = submission.add_line, iter([False, True, True])

    def add(folder: Path, line: dict[str, object]) -> None:
        if next(failing, False):
            raise OSError(errno.ENOSPC, "")
        add_line(folder, line)

    monkeypatch.setattr(submission, "add_line", add)
    command(stand_in, "sbatch", f"echo x >>{stand_in}/calls; echo 42")
    assert submission.submit(run, dict(FACTS), ["sbatch"]) == 0
    assert next(full, None) is None and next(failing, None) is None
    assert [sent.job for sent in runs.submissions(run)] == ["42"] and (stand_in / "calls").read_text() == "x\n"


def test_run_that_is_stopped_while_it_waits_for_room_ends(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.begin_run(stand_in, "", [])
    monkeypatch.setattr(submission, "no_room", lambda folders: "/disk: full")
    monkeypatch.setattr(submission.time, "sleep", lambda seconds: runs.stop_submitting(run))
    command(stand_in, "sbatch", "echo 9")
    assert submission.submit(run, dict(FACTS), ["sbatch"]) == 1 and runs.submissions(run) == []


def test_job_of_a_call_without_an_answer_is_looked_up_by_the_next_attempt(stand_in: Path) -> None:
    run = runs.begin_run(stand_in, "", [])
    command(stand_in, "sbatch", f'echo x >>{stand_in}/calls; echo "sbatch: error: Socket timed out" >&2; exit 1')
    command(stand_in, "squeue", "exit 1")
    assert submission.submit(run, dict(FACTS), ["sbatch"], patience=0.0) == 1
    # the controller is back, and took the job
    command(stand_in, "squeue", f'echo "7|{FACTS["comment"]}"')
    assert submission.submit(run, dict(FACTS), ["sbatch"]) == 0
    assert (stand_in / "calls").read_text() == "x\n" and [s.job for s in runs.submissions(run)] == ["7"]
    other = {**FACTS, "comment": "rule_r_wildcards_b"}
    command(stand_in, "sbatch", "echo 8")
    assert submission.submit(run, other, ["sbatch"]) == 0, "it is another job's"
    assert [s.job for s in runs.submissions(run)] == ["7", "8"]


def test_call_under_way_has_seconds_for_its_answer_when_the_run_is_stopped(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runs.begin_run(stand_in, "", [])
    monkeypatch.setattr(submission, "LAST_WORD_S", 0.6)
    command(stand_in, "scancel", f'echo "$@" >{stand_in}/cancelled')
    began = time.monotonic()
    for seconds in (20, 0.2):
        command(stand_in, "sbatch", f"mv {run}/going {run}/stopping; sleep {seconds}; echo 9")
        assert submission.submit(run, dict(FACTS), ["sbatch"]) == 1
        (run / "stopping").rename(run / "going")
    assert time.monotonic() - began < 15
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("not submitted") and said[1].endswith("job 9 is cancelled")
    assert (stand_in / "cancelled").read_text() == "--name=uuid 9\n"


def test_wait_for_the_controller_ends_with_the_run(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.begin_run(stand_in, "", [])
    command(stand_in, "sbatch", 'echo "sbatch: error: Unable to contact slurm controller" >&2; exit 1')
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        if seconds > 0.1:  # less is a look at sbatch
            slept.append(seconds)
            runs.stop_submitting(run)

    monkeypatch.setattr(submission.time, "sleep", sleep)
    assert submission.submit(run, dict(FACTS), ["sbatch"]) == 1 and slept == [submission.LOOK_S]
