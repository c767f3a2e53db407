"""A stopped run leaves no job behind, and the same command goes on where it was; a run costs little beside its jobs."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from slurm.cluster import Cluster
from slurm.projects import Site

# The first job ends at once; the others run or wait for long.
RULES = """
rule all:
    input: expand("out/{name}.txt", name=["quick", "a", "b", "c"])
rule quick:
    output: "out/quick.txt"
    shell: "echo $SLURM_JOB_ID > {output}"
rule work:
    input: "out/quick.txt"
    output: "out/{name}.txt"
    resources: mem_mb=40000
    shell: "touch at_work.{wildcards.name}; test -e go || sleep 600; echo done > {output}"
"""


def quick_is_done(site: Site) -> bool:
    return (site.folder / "out/quick.txt").is_file() and len(list(site.folder.glob("at_work.*"))) == 3


def interrupt(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)


def terminate(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("stop", [interrupt, terminate, kill], ids=lambda stop: stop.__name__)
def test_stopped_run_leaves_no_job_and_goes_on(
    site: Site, cluster: Cluster, stop: Callable[[subprocess.Popen[str]], None]
) -> None:
    site.rules(RULES)
    with site.running() as snakemake:
        site.wait_for("the long jobs", lambda: quick_is_done(site), 90)
        stop(snakemake)
        assert site.end(snakemake) != 0
    site.wait_for("no job in the queue", lambda: not cluster.jobs(), 30)
    quick = (site.folder / "out/quick.txt").read_text()
    if stop is kill:
        # nobody was left to unlock the folder; the watcher says what it cancelled
        site.wait_for("the watcher's word", lambda: "[stop] cancelled what Snakemake left behind" in site.output(), 20)
        assert site.run("--unlock") == 0
    goes_on(site, quick)


def goes_on(site: Site, quick: str) -> None:
    (site.folder / "go").touch()
    assert site.run() == 0, site.output()
    assert {path.read_text() for path in (site.folder / "out").glob("[abc].txt")} == {"done\n"}
    assert (site.folder / "out/quick.txt").read_text() == quick, "what was done is done again"
    assert {job.rule for job in site.jobs()} == {"work"}


def test_lost_terminal_leaves_no_job_and_goes_on(site: Site, cluster: Cluster) -> None:
    site.rules(RULES)
    before = len(list((site.folder / ".snakemake/sociolect/runs").glob("*")))
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        site.command(), cwd=site.folder, env=site.environment(),
        stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(inside)
    read_all(terminal, lambda: quick_is_done(site), 90)
    os.close(terminal)  # the kernel sends SIGHUP, and every further write to the terminal fails
    assert site.end(process) != 0
    site.wait_for("no job in the queue", lambda: not cluster.jobs(), 30)
    assert len(list((site.folder / ".snakemake/sociolect/runs").glob("*"))) == before + 1
    goes_on(site, (site.folder / "out/quick.txt").read_text())


def read_all(terminal: int, until: Callable[[], bool], timeout: float) -> None:
    """Read what is printed, as a terminal does, until something holds."""
    os.set_blocking(terminal, False)
    deadline = time.monotonic() + timeout
    while not until():
        assert time.monotonic() < deadline
        try:
            os.read(terminal, 65536)
        except BlockingIOError:
            time.sleep(0.2)


def test_jobs_of_a_run_whose_watcher_died_too_are_cancelled_by_the_next(site: Site, cluster: Cluster) -> None:
    site.rules(RULES)
    with site.running() as snakemake:
        site.wait_for("the long jobs", lambda: quick_is_done(site), 90)
        watchers = subprocess.run(["pgrep", "-f", f"watch_jobs.py --run {site.folder}"], capture_output=True, text=True)
        for pid in watchers.stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        snakemake.kill()
        snakemake.wait(30)
    left = {job["JobID"] for job in cluster.jobs()}
    assert left, "nobody was there to cancel them"
    (site.folder / "go").touch()
    assert site.run("--unlock") == 0
    assert site.run() == 0, site.output()
    assert "[stop] cancelled what Snakemake left behind" in site.output()
    assert {site.state(job)["JobState"] for job in left} == {"CANCELLED"}


CHAIN = """
rule third:
    input: "second"
    output: "third"
    shell: "touch {output}"
rule second:
    input: "first"
    output: "second"
    shell: "touch {output}"
rule first:
    output: "first"
    shell: "touch {output}"
"""


def test_chain_of_three_trivial_rules_takes_under_a_minute(site: Site) -> None:
    site.rules(CHAIN)
    began = time.monotonic()
    assert site.run("third") == 0
    seconds = time.monotonic() - began
    print(f"three trivial rules: {seconds:.1f} s")
    # the polling of the plugin alone takes 162 s; on a busy machine ours takes up to twice what it does on an idle one
    assert seconds < 60


MANY = """
rule work:
    output: "out/{name}.txt"
    shell: "touch {output}"
"""


def calls_in_a_window(site: Site, n_jobs: int, seconds: float) -> int:
    """Calls of SLURM's commands other than sbatch while `n_jobs` wait."""
    counted = site.folder / "calls"
    shims = site.folder / "shims"
    shims.mkdir(exist_ok=True)
    for name in ("squeue", "sacct", "scontrol", "sinfo", "sacctmgr", "sshare"):
        path = shims / name
        real = site.cluster.run("which", name).strip()
        path.write_text(f'#!/bin/sh\necho {name} >>"{counted}"\nexec {real} "$@"\n')
        path.chmod(0o755)
    site.variables["PATH"] = f"{shims}:{os.environ['PATH']}"
    targets = [f"out/{n_jobs}-{number}.txt" for number in range(n_jobs)]
    with site.running(*targets) as snakemake:
        site.wait_for("all submissions", lambda: len(site.jobs()) == n_jobs, 120)
        time.sleep(3)
        before = len(counted.read_text().split())
        time.sleep(seconds)
        calls = len(counted.read_text().split()) - before
        snakemake.send_signal(signal.SIGTERM)
        site.end(snakemake)
    return calls


def test_polls_do_not_grow_with_the_jobs(site: Site, cluster: Cluster) -> None:
    site.rules(MANY)
    # the pause is the larger part, so that both windows have as many polls
    site.poll_s = 3
    for node in cluster.nodes():
        cluster.drain(node)
    few, many = calls_in_a_window(site, 3, 15.0), calls_in_a_window(site, 60, 15.0)
    print(f"calls in 15 s with 3 jobs in the queue: {few}, with 60: {many}")
    assert few > 0 and many <= few + 2


def test_request_that_slurm_refuses_is_named(site: Site) -> None:
    site.rules(MANY.replace("    shell:", "    resources: slurm_partition='nowhere'\n    shell:"))
    assert site.run("--retries=0", "out/a.txt") == 1
    assert "work [name=a]: job -, attempt 1, on no node yet, REFUSED" in site.why()
    assert "invalid partition specified: nowhere" in site.why()


def test_array_jobs_are_refused_with_the_reason(site: Site) -> None:
    site.rules(MANY)
    assert site.run("--slurm-array-jobs=all", "out/a.txt") != 0
    assert "slurm-array-jobs: not supported" in site.output() and site.jobs() == []


def test_good_and_bad_start_can_be_compared(site: Site) -> None:
    site.rules(
        'rule work:\n    output: "out/{name}.txt"\n    log: "logs/{name}.log"\n'
        '    shell: "test {wildcards.name} = good && touch {output}"\n'
    )
    assert site.run("--retries=0", "out/good.txt", "out/bad.txt") == 1
    jobs = {job.wildcards: job.job for job in site.jobs()}
    table = site.why("--compare", jobs["name=good"], jobs["name=bad"])
    differs = {line.split("│")[2].strip() for line in table.splitlines() if "differs" in line}
    assert {"job", "what", "state", "exit"} <= differs
    assert not differs & {"python", "export", "kernel", "driver"}, "both had the same environment"


def test_doctor_names_what_must_be_mended_before_anything_is_submitted(site: Site, cluster: Cluster) -> None:
    def doctor(*args: str) -> tuple[int, str]:
        program = str(site.folder / "workflow/tools/check_site.py")
        variables = {**site.environment(), "COLUMNS": "600"}
        done = subprocess.run(
            [sys.executable, program, "--configfile", "config/demo.yaml", *args],
            cwd=site.folder, env=variables, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    code, text = doctor()
    assert re.search(r"probe: cpu, no GPU *│ ok", text), text
    # stand-ins for GPUs are given, and torch cannot use them
    used = r"node01, \d+ s, torch \S+ imported in \S+ s, GPUs given 1, usable 0, .*│ torch cannot use the GPU"
    assert code == 1 and re.search(rf"GPU a100 *│ FAIL +│ {used}", text), text
    (site.folder / ".snakemake/sociolect/bad_nodes").mkdir(parents=True)
    (site.folder / ".snakemake/sociolect/bad_nodes/node02").write_text(f"{time.time():.0f} 7 preflight 93: full\n")
    profile = site.folder / "profiles/slurm/config.yaml"
    profile.write_text(
        profile.read_text().replace('"a100"', '"b200"').replace('slurm_partition: "cpu"', 'slurm_partition: "fat"')
    )
    code, text = doctor("--no-probe")
    assert code == 1
    assert (
        "no such partition; there are cpu, gpu, solo" in text
        and "no such GPU there; there are gpu:a100:2, gpu:h100:2" in text
    )
    assert "node02, 0.0 h ago, job 7: preflight 93: full" in text
    assert not Path(site.folder / ".snakemake/sociolect/probes/none").exists()
