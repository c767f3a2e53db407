"""Trivial jobs while cluster and Snakemake are hit by faults: the run ends complete, nothing is made twice."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from slurm.cluster import Cluster
from slurm.projects import Site
from slurm.table import write_block
from sociolect.slurm.runs import all_runs, submissions

# as many as the faults take; twice as many for the figures of docs/slurm.md
N_JOBS, N_DOCS = 100, 200
RULES = """
rule all:
    input: expand("out/{n}.txt", n=range(N_JOBS))
rule work:
    output: "out/{n}.txt"
    shell: "echo begin $SLURM_JOB_ID >> writers/{wildcards.n}; sleep 0.5; echo content {wildcards.n} > {output}; "
           "echo end $SLURM_JOB_ID >> writers/{wildcards.n}"
"""


def test_run_survives_random_faults(site: Site, cluster: Cluster, write_docs: Path | None) -> None:
    n_jobs = N_DOCS if write_docs else N_JOBS
    site.rules(RULES.replace("N_JOBS", str(n_jobs)))
    (site.folder / "writers").mkdir()
    dice = random.Random(20251)
    done: Counter[str] = Counter()
    began = time.monotonic()

    def node_down() -> None:
        node = dice.choice(["node01", "node02", "node03"])
        cluster.down(node)
        time.sleep(4)
        cluster.resume(node)

    def controller_killed() -> None:
        cluster.kill_controller(saved=False)
        time.sleep(dice.uniform(1, 8))
        cluster.start_controller()

    def accounting_stopped() -> None:
        cluster.stop_database_daemon()
        time.sleep(30)
        cluster.start_database_daemon()

    def job_cancelled() -> None:
        if jobs := [job["JobID"] for job in cluster.jobs() if job["State"] == "RUNNING"]:
            cluster.run("scancel", dice.choice(jobs), check=False)

    faults: list[Callable[[], None]] = (
        [node_down] * 3 + [controller_killed] * 3 + [accounting_stopped] + [job_cancelled] * 8
    )
    dice.shuffle(faults)
    faults.insert(len(faults) // 2, snakemake_killed)
    while True:
        with site.running("--jobs=12", "--retries=5") as snakemake:
            while snakemake.poll() is None:
                assert time.monotonic() - began < 1200, f"it hangs\n{site.output()[-4000:]}"
                time.sleep(dice.uniform(2, 6))
                if faults and snakemake.poll() is None:
                    fault = faults.pop()
                    done[fault.__name__] += 1
                    if fault is snakemake_killed:
                        snakemake.send_signal(signal.SIGKILL)
                        snakemake.wait(30)
                        break
                    fault()
            code = snakemake.wait(30)
        if code != -signal.SIGKILL:
            break
        site.wait_for("the jobs of the killed run to be gone", lambda: not cluster.jobs(), 60)
        assert site.run("--unlock") == 0
    seconds = time.monotonic() - began
    assert code == 0, site.output()[-4000:] + site.why()
    assert not faults, f"the run ended before all faults: {[fault.__name__ for fault in faults]}"
    for number in range(n_jobs):
        assert (site.folder / f"out/{number}.txt").read_text() == f"content {number}\n"
        # an end comes right after its own begin: two jobs were never at one output at the same time, not even one
        # that the controller had forgotten
        words = [line.split() for line in (site.folder / f"writers/{number}").read_text().splitlines()]
        for before, word in pairwise(words):
            assert word[0] == "begin" or before == ["begin", word[1]], (number, words)
    # a controller that was killed takes a job from its last saved state for a running one until the node has answered
    site.wait_for("the queue to be empty", lambda: not cluster.jobs(), 60)

    ends: dict[str, list[tuple[str, str, str, str]]] = defaultdict(list)
    for run in all_runs(site.folder / ".snakemake/sociolect"):
        for job in submissions(run):
            row = accounted(cluster, job.job, job.comment)
            ends[job.wildcards].append(row)
    assert len(ends) == n_jobs
    for label, rows in ends.items():
        spans = sorted((start, end) for _, _, start, end in rows if start not in ("None", "Unknown"))
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans)), (label, rows)
    twice = [label for label, rows in ends.items() if sum(state == "COMPLETED" for _, state, _, _ in rows) > 1]
    states = Counter(state for rows in ends.values() for _, state, _, _ in rows)
    assert twice == [], f"made twice: {twice}"
    text = (
        f"{n_jobs} jobs, {sum(done.values())} faults ({', '.join(f'{n} {name}' for name, n in sorted(done.items()))}): "
        f"complete after {seconds:.0f} s on two cores; {sum(states.values())} submissions, "
        f"{', '.join(f'{n} {state}' for state, n in sorted(states.items()))}; no output has two jobs "
        "that the accounting calls completed, and none had two writers at the same time. FORGOTTEN: the crashed "
        "controller lost the job and gave its id out again."
    )
    print(text)
    if write_docs:
        write_block(write_docs, "faults", text)


def snakemake_killed() -> None:
    """Marks the place in the list; the test itself kills."""


def accounted(cluster: Cluster, job: str, comment: str) -> tuple[str, str, str, str]:
    """Id, state, start and end of a job; a crashed controller gives an id out again, so its comment decides."""
    for row in cluster.sacct(job, "Comment", "Start", "End", timeout=30):
        if row["Comment"] == comment:
            return job, row["State"].split()[0], row["Start"], row["End"]
    return job, "FORGOTTEN", "None", "None"
