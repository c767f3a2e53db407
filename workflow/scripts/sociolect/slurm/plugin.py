"""What this workflow changes in the SLURM plugin, at nine named places, and why.

- query_job_status_squeue, query_job_status_sacct: query_jobs.py (states.py) instead, since the plugin waits without
  end for jobs that were cancelled or lost, and forgets all jobs when its query fails five times;
- get_submit_command: submit_job.py before sbatch (submission.py), since a controller that restarts makes sbatch fail;
  and the nodes that are left out (nodes.py) for --exclude, where the plugin can write "None assigned";
- validate_account: sbatch judges the account; the plugin asks the accounting at every submission;
- get_min_job_age: not needed any more; the plugin asks the controller at every poll;
- Executor.next_seconds_between_status_checks: capped, since the plugin waits up to 180 s between two polls, so that an
  end is noticed minutes late after every rule, and Ctrl-C waits as long;
- Executor._report_job_error_threadsafe: a job that sbatch refused is not tried again, it would be refused again;
- Executor.shutdown: a run that is stopped forgets the submissions in line, the plugin would begin each of them;
- Executor.sleep: the pause between two polls ends with the run, which would wait for its end.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import sys
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sociolect.common.errors import InputError
from sociolect.slurm.commands import nodes_of
from sociolect.slurm.fitting import ASKED, n_gpus
from sociolect.slurm.nodes import bad_nodes, excluded
from sociolect.slurm.runs import refusals, stopping
from sociolect.slurm.states import failed_on

TRIED = "2.8.0"
PLACES = (
    "Executor",
    "get_min_job_age",
    "get_submit_command",
    "query_job_status_sacct",
    "query_job_status_squeue",
    "validate_account",
)
OF_EXECUTOR = ("next_seconds_between_status_checks", "_report_job_error_threadsafe", "shutdown", "sleep")


def adapt_plugin(plugin: Any, run: Path, state: Path, tools: Path, slowest_poll: int) -> None:
    """Put this workflow's status query and submission into the plugin's module.

    Args:
        plugin: the module snakemake_executor_plugin_slurm.
        run: folder of the run's record.
        state: folder with the bad nodes.
        tools: folder of query_jobs.py and submit_job.py.
        slowest_poll: longest time between two looks at the states, in seconds.

    Raises:
        InputError: the plugin has another shape than the one that this was written for.
    """
    missing = [place for place in PLACES if not callable(getattr(plugin, place, None))]
    missing += [f"Executor.{place}" for place in OF_EXECUTOR if not hasattr(getattr(plugin, "Executor", None), place)]
    if missing:
        found = version("snakemake-executor-plugin-slurm")
        raise InputError(
            f"snakemake-executor-plugin-slurm {found} has no {missing[0]}; this workflow was tried with {TRIED}: "
            "install what envs/core.txt pins (make setup)"
        )
    python = sys.executable

    def status_command(name: str) -> str:
        return shlex.join([python, str(tools / "query_jobs.py"), "--run", str(run), "--name", name])

    submit_command = plugin.get_submit_command

    def patient_command(job: Any, params: dict[str, Any], *args: Any, **options: Any) -> str:
        partition = partition_of(params["partition"])
        if any(job.resources.get(key) for key in ("cluster", "clusters", "slurm_cluster")):
            raise InputError("several clusters: not supported; run on the login node of the one that is meant")
        facts = facts_of(job, params, partition)
        out: list[str] = []
        # submit_job.py submits nothing for a run that is stopped
        if not facts["own_exclude"] and not stopping(run):
            # before a retry it matters which nodes can be used now
            period = int(time.time() / (600 if facts["attempt"] == 1 else 10))
            fitting = _nodes(period, *(facts[key] for key in ASKED))
            out = excluded(failed_on(run).get(facts["comment"], []), bad_nodes(state), fitting)
        options["failed_nodes"] = set(out)
        facts["excluded"] = ",".join(out)
        call: str = submit_command(job, params, *args, **options)
        submit = [python, str(tools / "submit_job.py"), "--run", str(run), "--facts", json.dumps(facts)]
        return f"{shlex.join(submit)} -- {call}"

    plugin.query_job_status_squeue = plugin.query_job_status_sacct = status_command
    plugin.get_submit_command = patient_command
    plugin.validate_account = lambda account, logger: account
    plugin.get_min_job_age = lambda: sys.maxsize
    _never_retry_refused(plugin.Executor, run)
    _end_at_once(plugin.Executor, run)
    seconds = plugin.Executor.next_seconds_between_status_checks
    plugin.Executor.next_seconds_between_status_checks = property(
        seconds.fget, lambda self, value: seconds.fset(self, None if value is None else min(value, slowest_poll))
    )


def _never_retry_refused(executor: Any, run: Path) -> None:
    """Let a job that sbatch refused count as one without attempts left."""
    report = executor._report_job_error_threadsafe

    def report_once(self: Any, job_info: Any, msg: str) -> None:
        job = job_info.job
        if any((entry.rule, entry.wildcards) == (job.name, _wildcards(job)) for entry in refusals(run)):
            job.attempt = max(job.attempt, job.restart_times + 1)
        report(self, job_info, msg)

    executor._report_job_error_threadsafe = report_once


def _end_at_once(executor: Any, run: Path) -> None:
    """Let the end of a run wait for no submission that has not begun, and for no pause between two polls."""
    shutdown = executor.shutdown

    def quick_shutdown(self: Any) -> None:
        if stopping(run):
            self._job_submission_executor.shutdown(wait=False, cancel_futures=True)
        shutdown(self)

    async def sleep(self: Any) -> None:
        until = time.monotonic() + self.next_seconds_between_status_checks
        while self.wait and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.5))

    executor.shutdown, executor.sleep = quick_shutdown, sleep


def _wildcards(job: Any) -> str:
    wildcards = getattr(job, "wildcards_dict", None) or {}
    return ", ".join(f"{name}={value}" for name, value in wildcards.items())


def facts_of(job: Any, params: dict[str, Any], partition: str) -> dict[str, Any]:
    """What the record says of a submission, from Snakemake's job and the plugin's parameters."""
    gres = str(job.resources.get("gres") or "")
    model = re.match(r"gpu:([A-Za-z_][^:,()]*)", gres)
    # at least: a job may have several GPUs
    cpus = _whole(job.resources.get("cpus_per_task") or job.resources.get("cpus_per_gpu") or job.threads)
    return {
        "name": params["run_uuid"],
        "rule": job.name,
        "wildcards": _wildcards(job),
        "attempt": int(getattr(job, "attempt", 1)),
        "log": str(Path(str(job.log[0])).absolute()) if getattr(job, "log", None) else "",
        "slurm_log": str(params["slurm_logfile"]),
        "comment": params["comment_str"],
        "partition": partition,
        "gpu_model": str(job.resources.get("gpu_model") or (model[1] if model else "")),
        "constraint": str(job.resources.get("constraint") or ""),
        "mem_mb": cpus * _whole(job.resources.get("mem_mb_per_cpu")) or _whole(job.resources.get("mem_mb")),
        "cpus": cpus,
        "gpus": _whole(job.resources.get("gpu")) or n_gpus(gres),
        # `-xnode01` too, and not the name of a reservation
        "own_exclude": re.search(r"(^|[\s'\"])(--exclude\b|-x)", str(job.resources.get("slurm_extra") or ""))
        is not None,
    }


def partition_of(argument: str) -> str:
    """Partition in the plugin's ` -p 'name'`; empty for the default one."""
    words = shlex.split(argument)
    return words[1] if len(words) == 2 else ""


@cache
def _nodes(period: int, *asked: Any) -> dict[str, bool]:
    """Nodes that fit; asked again in another `period`, not at every submission."""
    return nodes_of(*asked)


def _whole(value: Any) -> int:
    """A resource as a number; 0 for what is none, such as one that is not known yet, and for `let SLURM choose`."""
    return max(0, int(value)) if str(value).lstrip("-").isdecimal() else 0
