"""The places of the plugin that are changed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import snakemake_executor_plugin_slurm as plugin

from sociolect.common.errors import InputError
from sociolect.slurm.plugin import PLACES, adapt_plugin, partition_of
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
    del copy.validate_account
    with pytest.raises(InputError, match=r"has no validate_account; this workflow was tried with 2\.8\.0"):
        adapt_plugin(copy, tmp_path, tmp_path, Path("scripts"), 40)


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
