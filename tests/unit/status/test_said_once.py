"""What of a failed job Snakemake prints: a line; what the end of the run says better is kept back."""

from __future__ import annotations

import io
import logging
from types import SimpleNamespace
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

from sociolect.status.said_once import SaidOnce


def job(rule: str, *log: str, name: str = "") -> SimpleNamespace:
    wildcards = {"name": name} if name else {}
    return SimpleNamespace(rule=SimpleNamespace(name=rule), log=list(log), wildcards_dict=wildcards)


class Printed:
    """A handler with the filter, and what it printed."""

    def __init__(self, *failed: SimpleNamespace, on_cluster: bool = False, keep_going: bool = True) -> None:
        jobs = [job("bake", "bake.log", name="bread"), job("by_hand")]
        workflow = SimpleNamespace(
            dag=SimpleNamespace(jobs=jobs, jobid=jobs.index),
            scheduler=SimpleNamespace(failed=set()),
            execution_settings=SimpleNamespace(keep_going=keep_going),
        )
        workflow.scheduler.failed = list(failed or jobs[:1])
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.addFilter(SaidOnce(self.handler, workflow, on_cluster))

    def of(self, text: str, **extra: Any) -> str:
        before = self.stream.tell()
        record = logging.LogRecord("snakemake", logging.ERROR, "", 0, text, None, None)
        record.__dict__.update(extra)
        self.handler.handle(record)
        return self.stream.getvalue()[before:]


ERROR: dict[str, Any] = {"event": LogEvent.JOB_ERROR, "jobid": 0, "rule_name": "bake", "log": ["bake.log"]}
COMMAND = "RuleException:\nCalledProcessError in file x.smk\nCommand 'python start_program.py bake' returned 1"


def test_a_job_that_fails_is_a_line_at_once() -> None:
    said = Printed().of("Error in rule bake", **ERROR)
    assert said.startswith("bake [bread] failed; what does not need it goes on\n")
    assert "what runs is waited for" in Printed(keep_going=False).of("Error in rule bake", **ERROR)
    # the watcher says it there, with the cause
    assert "failed;" not in Printed(on_cluster=True).of("Error in rule bake", **ERROR)


def test_the_command_and_the_general_words_are_kept_back() -> None:
    assert Printed().of(COMMAND, event=LogEvent.ERROR, exception="RuleException") == ""
    assert Printed().of("Exiting because a job execution failed. Look above for error messages") == ""
    assert Printed().of("WorkflowError:\nAt least one job did not complete successfully.", event=LogEvent.ERROR) == ""
    missing = "MissingOutputException in rule bake in file x.smk, line 3:\nJob 1 completed"
    assert Printed().of(missing, event=LogEvent.ERROR, exception="MissingOutputException") == ""


def test_of_a_rule_without_a_log_all_is_said() -> None:
    by_hand = COMMAND.replace("start_program.py bake", "cp")
    assert "CalledProcessError" in Printed().of(by_hand, event=LogEvent.ERROR, exception="RuleException")
    assert "Look above" in Printed(job("by_hand")).of("Exiting because a job execution failed. Look above for it")
    missing = "MissingOutputException in rule by_hand in file x.smk, line 3:\nJob 1 completed"
    assert "by_hand" in Printed().of(missing, event=LogEvent.ERROR, exception="MissingOutputException")
    assert "other" in Printed().of("WorkflowError:\nan other one", event=LogEvent.ERROR, exception="WorkflowError")
