"""States, bad nodes, records and submissions: what must hold whatever SLURM answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import snakemake_executor_plugin_slurm as plugin

from sociolect.common.errors import InputError
from sociolect.slurm import runs, submission
from sociolect.slurm.commands import QueuedJob, Step, nodes_of, plain_state, seconds_of
from sociolect.slurm.doctor import requests_of
from sociolect.slurm.nodes import BadNode, bad_nodes, excluded, record_bad_node
from sociolect.slurm.plugin import PLACES, adapt_plugin, partition_of
from sociolect.slurm.runs import Submitted
from sociolect.slurm.states import LOST_AFTER_S, Memory, newly_failed, states_of, word_for_plugin


def job(number: int, slurm_log: str = "") -> Submitted:
    return Submitted(str(number), "run", "rule", slurm_log=slurm_log)


def queued(number: int, state: str) -> dict[str, QueuedJob]:
    return {str(number): QueuedJob(str(number), state, "", "", 0)}


def accounted(number: int, state: str) -> dict[str, list[Step]]:
    return {str(number): [Step(str(number), state, "0:0", "n", 1, 0, "", "")]}


def test_job_that_the_controller_forgot_is_found_in_the_accounting() -> None:
    # "CANCELLED by 1000" is the state for which the plugin waits without end
    assert states_of([job(1)], {}, accounted(1, "CANCELLED by 1000"), Memory(), 0.0) == {"1": "CANCELLED"}
    # what the controller has lost the accounting may call running for ever
    memory = Memory()
    assert states_of([job(1)], {}, accounted(1, "RUNNING"), memory, 0.0) == {}
    assert states_of([job(1)], {}, accounted(1, "RUNNING"), memory, LOST_AFTER_S) == {"1": "LOST"}


def test_job_that_nobody_knows_is_lost_after_a_while_and_not_before(tmp_path: Path) -> None:
    log = tmp_path / "2.log"
    log.write_text("[start] job=2\n[end] job=2 rc=0 seconds=3\n")
    jobs, memory = [job(1), job(2, str(log))], Memory()
    # the second one's own last line says that it ended well
    assert states_of(jobs, {}, {}, memory, 1000.0) == {"2": "COMPLETED"}
    assert states_of(jobs, {}, {}, memory, 1000.0 + LOST_AFTER_S - 1) == {"2": "COMPLETED"}
    assert states_of(jobs, {}, {}, memory, 1000.0 + LOST_AFTER_S) == {"1": "LOST", "2": "COMPLETED"}


def test_no_answer_ends_no_job_and_time_without_answers_does_not_count() -> None:
    memory = Memory()
    assert states_of([job(1)], None, {}, memory, 0.0) == {}
    assert states_of([job(1)], None, {}, memory, 10 * LOST_AFTER_S) == {}
    assert states_of([job(1)], {}, {}, memory, 10 * LOST_AFTER_S) == {}
    assert states_of([job(1)], queued(1, "RUNNING"), {}, memory, 20 * LOST_AFTER_S) == {"1": "RUNNING"}
    assert states_of([job(1)], {}, {}, memory, 30 * LOST_AFTER_S) == {}, "it was seen again in between"


def test_end_is_remembered_and_said_in_a_word_that_the_plugin_knows() -> None:
    memory = Memory()
    for state in ("PREEMPTED", "NODE_FAIL", "LOST"):
        assert word_for_plugin(state) == "FAILED"
    assert word_for_plugin("TIMEOUT") == "TIMEOUT"
    before = dict(memory.final)
    first = states_of([job(1)], queued(1, "TIMEOUT"), {}, memory, 0.0)
    assert first == {"1": "TIMEOUT"} and newly_failed(before, first) == ["1"]
    # purged by the controller since, and no accounting: still the same end, and no news
    assert states_of([job(1)], {}, {}, memory, 1e9) == first
    assert newly_failed(memory.final, first) == []


def test_slurm_words() -> None:
    assert [plain_state(s) for s in ("CANCELLED by 0", "OUT_OF_ME+", "RUNNING")] == [
        "CANCELLED",
        "OUT_OF_ME",
        "RUNNING",
    ]
    assert [seconds_of(t) for t in ("1-02:03:04", "02:03", "UNLIMITED")] == [93784, 123, 0]


def test_bad_nodes_expire_are_capped_and_never_all_of_a_partition(tmp_path: Path) -> None:
    record_bad_node(tmp_path, "node01", "5", "D: no\n interpreter")
    (found,) = bad_nodes(tmp_path)
    assert (found.node, found.job, found.reason) == ("node01", "5", "D: no interpreter")
    assert bad_nodes(tmp_path, found.time + 86401) == [] and not list((tmp_path / "bad_nodes").iterdir())
    many = [BadNode(f"n{i:02}", 100.0 - i, "1", "r") for i in range(20)]
    assert excluded(many, [f"n{i:02}" for i in range(20)]) == [f"n{i:02}" for i in range(8)], "the newest eight"
    assert excluded(many[:2], ["n00", "n01"]) == ["n00"]
    assert excluded(many[:1], ["n00"]) == [] and excluded(many, ["other"]) == []


def test_driver_is_told_from_another_process_with_its_number(tmp_path: Path) -> None:
    run = runs.begin_run(tmp_path, "log", ["snakemake"])
    driver = runs.read_driver(run)
    assert driver.alive() is True
    assert runs.Driver(os.getpid(), socket.gethostname(), driver.started - 1).alive() is False
    assert runs.Driver(os.getpid(), "elsewhere", driver.started).alive() is None


def test_half_a_line_of_a_killed_writer_is_not_a_submission(tmp_path: Path) -> None:
    runs.add_line(tmp_path, {"name": "u", "rule": "a", "job": "1"})
    with (tmp_path / "jobs.jsonl").open("a") as stream:
        stream.write('{"name": "u", "ru')
    assert [s.job for s in runs.submissions(tmp_path)] == ["1"]


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


def test_submission_without_an_answer_is_looked_up_and_not_repeated(stand_in: Path) -> None:
    run = runs.begin_run(stand_in, "", [])
    runs.add_line(run, {"name": "uuid", "rule": "r", "job": "6", "comment": FACTS["comment"]})
    command(
        stand_in,
        "sbatch",
        f'echo x >>{stand_in}/calls; echo "sbatch: error: Socket timed out on send/recv" >&2; exit 1',
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


def test_plugin_has_the_places_that_are_changed(tmp_path: Path) -> None:
    copy = SimpleNamespace(**{place: getattr(plugin, place) for place in PLACES})
    copy.Executor = type("Executor", (plugin.Executor,), {})
    adapt_plugin(copy, tmp_path, tmp_path, Path("scripts"), 40)
    executor = copy.Executor.__new__(copy.Executor)
    executor.next_seconds_between_status_checks = 180
    assert executor.next_seconds_between_status_checks == 40
    assert "query_jobs.py" in copy.query_job_status_squeue("u") == copy.query_job_status_sacct("u")
    assert partition_of(" -p 'big mem'") == "big mem" and partition_of("") == ""
    del copy.validate_account
    with pytest.raises(InputError, match=r"has no validate_account; this workflow was tried with 2\.8\.0"):
        adapt_plugin(copy, tmp_path, tmp_path, Path("scripts"), 40)


def test_nodes_that_fit_decide_how_many_may_be_left_out(stand_in: Path) -> None:
    command(stand_in, "sinfo", "echo 'n1|gpu:a100:2|a100,big'; echo 'n2|gpu:h100:2|h100'; echo 'n3|(null)|cpu'")
    assert nodes_of("gpu") == ["n1", "n2", "n3"]
    assert nodes_of("gpu", "a100") == ["n1"] and nodes_of("gpu", "", "a100&big") == ["n1"] == nodes_of("", "", "big")
    # the only node with the GPU that is asked for is never left out, bad or not
    assert excluded([BadNode("n1", 1.0, "1", "r")], nodes_of("gpu", "a100")) == []


def test_probes_are_the_distinct_requests_of_a_profile() -> None:
    profile = {
        "default-resources": {"slurm_partition": "cpu", "slurm_account": "a"},
        "slurm-qos": "q",
        "set-resources": {
            "build_catalogue": {"runtime": 60},
            "train_sfam": {"slurm_partition": "'gpu'"},
            "label_answers": {"slurm_partition": "'gpu'"},
            "generate_answers": {"slurm_partition": "gpu", "gpu": 0, "gres": "gpu:a100:1"},
        },
    }
    flags = [request.flags() for request in requests_of(profile)]
    site = ["--partition=gpu", "--account=a", "--qos=q"]
    assert flags == [
        ["--partition=cpu", "--account=a", "--qos=q"],
        [*site, "--gpus=1"],
        [*site, "--gres=gpu:a100:1"],
    ]


def test_environment_is_not_made_anew_under_a_run(tmp_path: Path) -> None:
    check = [sys.executable, str(Path(__file__).parents[2] / "workflow/tools/check_idle.py")]
    assert subprocess.run(check, cwd=tmp_path, check=False).returncode == 0
    runs.begin_run(tmp_path / runs.STATE, "", [])
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"error: process {os.getpid()} drives a run" in done.stderr
