"""The places of the plugin that are changed."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import snakemake_executor_plugin_slurm as plugin

from sociolect.common.errors import InputError
from sociolect.slurm.plugin import PLACES, adapt_plugin, facts_of, partition_of
from sociolect.slurm.runs import add_line, begin_run


def test_plugin_has_the_places_that_are_changed(tmp_path: Path) -> None:
    copy = SimpleNamespace(**{place: getattr(plugin, place) for place in PLACES})
    copy.Executor = type("Executor", (plugin.Executor,), {})
    adapt_plugin(copy, tmp_path, tmp_path, Path("scripts"), 40)
    executor = copy.Executor.__new__(copy.Executor)
    executor.next_seconds_between_status_checks = 180
    assert executor.next_seconds_between_status_checks == 40
    assert "query_jobs.py" in copy.query_job_status_squeue("u") == copy.query_job_status_sacct("u")
    assert partition_of(" -p 'big mem'") == "big mem" and partition_of("") == ""
    assert "self._job_submission_executor." in inspect.getsource(plugin.Executor.shutdown)
    del copy.validate_account
    with pytest.raises(InputError, match=r"has no validate_account; this workflow was tried with 2\.8\.0"):
        adapt_plugin(copy, tmp_path, tmp_path, Path("scripts"), 40)


def ends(self: SimpleNamespace) -> None:
    """As the plugin's: what is in line is submitted first."""
    self._job_submission_executor.shutdown(wait=True)
    self.wait = False


@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "ended"])
def test_stop_waits_for_submissions_under_way_and_begins_none_that_is_in_line(tmp_path: Path, stopped: bool) -> None:
    copy = SimpleNamespace(**{place: getattr(plugin, place) for place in PLACES})
    copy.Executor = type("Executor", (plugin.Executor,), {"shutdown": ends})
    run = begin_run(tmp_path, "", [])
    adapt_plugin(copy, run, tmp_path, Path("scripts"), 40)
    begun: list[int] = []
    go = threading.Event()

    def submission(job: int) -> None:
        begun.append(job)
        go.wait(10)

    executor = copy.Executor.__new__(copy.Executor)
    executor._job_submission_executor = ThreadPoolExecutor(2)
    for job in range(5):
        executor._job_submission_executor.submit(submission, job)
    while len(begun) < 2:
        time.sleep(0.01)
    if stopped:
        (run / "going").rename(run / "stopping")
    threading.Timer(0.2, go.set).start()
    executor.shutdown()
    assert go.is_set() and begun == ([0, 1] if stopped else [0, 1, 2, 3, 4]) and executor.wait is False


def test_pause_between_two_polls_ends_with_the_run(tmp_path: Path) -> None:
    copy = SimpleNamespace(**{place: getattr(plugin, place) for place in PLACES})
    copy.Executor = type("Executor", (plugin.Executor,), {})
    adapt_plugin(copy, tmp_path, tmp_path, Path("scripts"), 40)
    executor = copy.Executor.__new__(copy.Executor)
    executor.next_seconds_between_status_checks, executor.wait = 40, True
    began = time.monotonic()
    threading.Timer(0.2, lambda: setattr(executor, "wait", False)).start()
    asyncio.run(asyncio.wait_for(executor.sleep(), 10))
    assert 0.2 <= time.monotonic() - began < 10
    executor.next_seconds_between_status_checks, executor.wait = 0.3, True
    asyncio.run(executor.sleep())
    assert time.monotonic() - began >= 0.5, "while the run goes on it is as long as it was"


def test_run_that_is_stopped_asks_for_no_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = SimpleNamespace(**{place: getattr(plugin, place) for place in PLACES})
    copy.Executor = type("Executor", (plugin.Executor,), {})
    copy.get_submit_command = lambda job, params, **options: "sbatch"
    asked: list[tuple[object, ...]] = []

    def nodes(*about: object) -> dict[str, bool]:
        asked.append(about)
        return {}

    monkeypatch.setattr("sociolect.slurm.plugin._nodes", nodes)
    run = begin_run(tmp_path, "", [])
    adapt_plugin(copy, run, tmp_path, Path("scripts"), 40)
    job = SimpleNamespace(name="r", wildcards_dict={}, resources={}, threads=1, attempt=1)
    params = {"partition": " -p cpu", "run_uuid": "u", "slurm_logfile": "%j.log", "comment_str": "rule_r"}
    copy.get_submit_command(job, params)
    (run / "going").rename(run / "stopping")
    copy.get_submit_command(job, params)
    assert len(asked) == 1


def test_refused_job_has_no_attempts_left_and_others_keep_theirs(tmp_path: Path) -> None:
    copy = SimpleNamespace(**{place: getattr(plugin, place) for place in PLACES})
    reported: list[str] = []
    report = {"_report_job_error_threadsafe": lambda self, job_info, msg: reported.append(msg)}
    copy.Executor = type("Executor", (plugin.Executor,), report)
    run = begin_run(tmp_path, "", [])
    adapt_plugin(copy, run, tmp_path, Path("scripts"), 40)
    add_line(run, {"name": "u", "rule": "r", "wildcards": "name=a", "job": "", "refused": "no such account"})
    executor = copy.Executor.__new__(copy.Executor)
    attempts = {}
    for name in ("a", "ab"):
        job = SimpleNamespace(name="r", wildcards_dict={"name": name}, attempt=1, restart_times=2)
        executor._report_job_error_threadsafe(SimpleNamespace(job=job), f"sbatch failed for {name}")
        attempts[name] = job.attempt
    # a job is tried again while restart_times > attempt - 1
    assert attempts == {"a": 3, "ab": 1} and reported == ["sbatch failed for a", "sbatch failed for ab"]


def facts(threads: int = 1, **resources: object) -> dict[str, object]:
    job = SimpleNamespace(name="r", resources=resources, threads=threads)
    return facts_of(job, {"run_uuid": "u", "slurm_logfile": "s", "comment_str": "c"}, "p")


@pytest.mark.parametrize(
    ("asked", "has"),
    [
        ({"mem_mb": 1300, "gpu": 4}, (1300, 1, 4)),
        # as the plugin does: for each CPU comes first, and less than none means that SLURM is to choose
        ({"mem_mb": 1300, "mem_mb_per_cpu": 500, "threads": 8, "gres": "gpu:a100:2"}, (4000, 8, 2)),
        ({"cpus_per_task": -1, "threads": 8, "gres": "gpu:a100"}, (0, 0, 1)),
        ({"cpus_per_gpu": 6, "gpu": "2", "mem_mb": "<TBD>"}, (0, 6, 2)),
    ],
)
def test_record_has_what_a_job_asks_of_its_node(asked: dict[str, object], has: tuple[int, int, int]) -> None:
    found = facts(**asked)  # type: ignore[arg-type]
    assert (found["mem_mb"], found["cpus"], found["gpus"]) == has


def test_gpu_model_is_the_whole_word_between_colons() -> None:
    for gres, model in (("gpu:nvidia_a100-sxm4-80gb:1", "nvidia_a100-sxm4-80gb"), ("gpu:a100", "a100"), ("gpu:2", "")):
        assert facts(gres=gres)["gpu_model"] == model


def test_users_own_exclude_is_told_from_the_name_of_a_reservation() -> None:
    for extra, own in (
        ("--reservation=nlp-x", False),
        ("-xnode01", True),
        ("--qos=a -x node01", True),
        ("'--exclude=n1'", True),
        ("--comment=--excluded", False),
    ):
        assert facts(slurm_extra=extra)["own_exclude"] is own, extra
