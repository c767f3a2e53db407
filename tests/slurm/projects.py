"""A project folder on the test cluster, driven as a user drives it, and what the tests ask about its jobs."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import copy_project
from slurm.cluster import Cluster, environment
from sociolect.slurm.nodes import BadNode, bad_nodes
from sociolect.slurm.runs import Submitted, all_runs, submissions

# the rules of a test have no tables that could be wrong
HEAD = 'check_tables = list\ninclude: "workflow/rules/preflight.smk"\n\n'


class Site:
    """One project folder: the workflow, or small rules of a test under the workflow's own hooks and profile."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder = copy_project(folder)
        self.cluster = cluster
        self.poll_s = 1
        # shell commands before Snakemake, such as limits
        self.login = ":"
        self._earlier = 0
        self.variables = {"SOCIOLECT_WATCH_S": "2", "SOCIOLECT_BAD_NODE_WAIT_S": "2"}

    # ---- running

    def rules(self, body: str) -> None:
        """Take the place of the workflow's Snakefile; `@python` stands for the interpreter."""
        (self.folder / "Snakefile").write_text(HEAD + body.replace("@python", sys.executable))

    def program(self, name: str, text: str) -> None:
        """A program of the test beside those of the workflow."""
        (self.folder / f"workflow/scripts/{name}.py").write_text(text)

    def command(self, *args: str) -> list[str]:
        """Snakemake with the profile; the only thing that is overridden is how often it polls."""
        poll = f"--slurm-init-seconds-before-status-checks={self.poll_s}"
        shell = ["bash", "-c", f'{self.login}; exec "$@"', "bash"]
        python = [sys.executable, "-X", "faulthandler"]
        return [*shell, *python, "-m", "snakemake", "--profile", "profiles/slurm", poll, *args]

    def environment(self) -> dict[str, str]:
        """A login shell's variables, without what a cluster or an earlier test left in them."""
        return {**environment(), **self.variables}

    @contextmanager
    def running(self, *args: str) -> Iterator[subprocess.Popen[str]]:
        """Snakemake in the background, its output in `output.txt`; ended at the end of the block if need be."""
        self._earlier = len(self._runs())
        with (self.folder / "output.txt").open("w") as output:
            process = subprocess.Popen(
                self.command(*args),
                cwd=self.folder, env=self.environment(), stdout=output, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(30)

    def run(self, *args: str, timeout: float = 120) -> int:
        """Run Snakemake to its end; its exit code."""
        with self.running(*args) as process:
            return self.end(process, timeout)

    def end(self, process: subprocess.Popen[Any], timeout: float = 120) -> int:
        """Wait for the end of a Snakemake that is `running`; its exit code.

        Raises:
            AssertionError: it does not end; with its output so far and where its threads are.
        """
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            process.wait(30)
            raise AssertionError(f"not within {timeout} s: its end\n{self.output()}") from None

    def output(self) -> str:
        """What the last Snakemake and its watcher printed."""
        return self.text("output.txt")

    def text(self, name: str) -> str:
        """A file of the project; empty while it is not there."""
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""

    # ---- asking

    def why(self, *args: str) -> str:
        """`make why`."""
        program = self.folder / "workflow/tools/explain_jobs.py"
        done = subprocess.run(
            [sys.executable, str(program), *args],
            cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def jobs(self) -> list[Submitted]:
        """Every job of the run that was started last."""
        found = self._runs()[self._earlier :]
        return submissions(found[-1]) if found else []

    def record(self) -> Path:
        """Folder of the record of the run that was started last."""
        return self._runs()[-1]

    def bad_nodes(self) -> list[BadNode]:
        """Nodes that are recorded as bad."""
        return bad_nodes(self.folder / ".snakemake/sociolect")

    def forget(self) -> None:
        """Take away what was made and what is known of nodes, for another run of the same rules."""
        for name in ("out", "writers", "logs", ".snakemake/sociolect/bad_nodes"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _runs(self) -> list[Path]:
        return all_runs(self.folder / ".snakemake/sociolect")

    def state(self, job: str) -> dict[str, str]:
        """The controller's word on a job."""
        text = self.cluster.run("scontrol", "show", "job", "-o", job)
        return dict(re.findall(r"(\w+)=(\S*)", text))

    def wait_for(self, what: str, holds: Callable[[], object], timeout: float = 60) -> None:
        """Wait until something holds.

        Raises:
            AssertionError: it does not within `timeout` seconds; with the output so far.
        """
        deadline = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < deadline, f"not within {timeout} s: {what}\n{self.output()}"
            time.sleep(0.2)

    def wait_state(self, *states: str, number: int = 0, timeout: float = 60) -> Submitted:
        """Wait until the run's job of this number is in one of these states."""
        self.wait_for("a submission", lambda: len(self.jobs()) > number, timeout)
        job = self.jobs()[number]
        self.wait_for(f"job {job.job} {states}", lambda: self.state(job.job)["JobState"] in states, timeout)
        return job

    def named(self, cause: str, job: Submitted, node: str, stage: str = "") -> str:
        """The one line of `make why` on this job; asked at once, and it must come within 10 seconds.

        Raises:
            AssertionError: the line names another cause, rule, node or stage, has no remedy, or comes too late.
        """
        began = time.monotonic()
        lines: list[str] = []
        while time.monotonic() - began < 10:
            lines = [line for line in self.why().splitlines() if f"job {job.job}," in line]
            if lines and f"Cause {cause}: " in lines[0]:
                break
        assert time.monotonic() - began < 10, lines
        (line,) = lines
        assert line.startswith(f"{job.label}: job {job.job}, attempt {job.attempt}, on {node}"), line
        assert f"Cause {cause}: " in line and len(line.partition("Do: ")[2]) > 10, line
        assert stage in line, line
        for here, anywhere in ((str(self.folder), "."), (sys.prefix, ".venv"), (sys.base_prefix, "/opt/python")):
            line = line.replace(here, anywhere)
        return line
