"""What a run says of a job that failed: one line when it fails, and at its end what its program said.

Snakemake prints the whole command of the job, sends the reader up to it, and says at the end that something failed.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

# of jobs with a log of their own, whose end `make why` and the end of the run have
_PROGRAM = "start_program.py"
_MISSING = re.compile(r"MissingOutputException in rule (?P<rule>\w+) ")
_GENERAL = ("Exiting because a job execution failed", "At least one job did not complete successfully")


class SaidOnce(logging.Filter):
    """Of the handler that writes to the terminal: keeps back what the end of the run says better. Snakemake's own log
    file has all of it."""

    def __init__(self, handler: logging.Handler, workflow: Any, on_cluster: bool) -> None:
        super().__init__()
        self.handler, self.workflow, self.on_cluster = handler, workflow, on_cluster

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is printed."""
        event, said = getattr(record, "event", None), str(record.msg)
        # on the cluster the watcher says it, with the cause
        if event == LogEvent.JOB_ERROR and not self.on_cluster and getattr(record, "log", None):
            self._say_failed(record)
        if event == LogEvent.ERROR and (missing := _MISSING.match(said)):
            return not self._has_log(missing["rule"])
        if event == LogEvent.ERROR and _PROGRAM in said:
            return False
        if any(words in said for words in _GENERAL):
            return not all(job.log for job in self.workflow.scheduler.failed)
        return True

    def _has_log(self, rule: str) -> bool:
        return any(job.rule.name == rule and job.log for job in self.workflow.dag.jobs)

    def _say_failed(self, record: logging.LogRecord) -> None:
        dag = self.workflow.dag
        job = next((job for job in dag.jobs if dag.jobid(job) == record.__dict__["jobid"]), None)
        values = "/".join(job.wildcards_dict.values()) if job else ""
        label = f"{record.__dict__['rule_name']} [{values}]" if values else record.__dict__["rule_name"]
        goes_on = self.workflow.execution_settings.keep_going
        then = "what does not need it goes on" if goes_on else "what runs is waited for"
        line = logging.LogRecord(record.name, logging.ERROR, "", 0, f"{label} failed; {then}", None, None)
        self.handler.acquire()
        try:
            self.handler.emit(line)
        finally:
            self.handler.release()
