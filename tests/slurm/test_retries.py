"""A node that fails a job gets no retry of it while another is free, whether a pattern blames it or not."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from slurm.cluster import Cluster
from slurm.projects import Site
from slurm.table import write_block
from sociolect.slurm.states import failed_on

BAD = "node02"
RULES = """
rule all:
    input: expand("out/{n}.txt", n=range(N_JOBS))
rule work:
    output: "out/{n}.txt"
    log: "logs/{n}.log"
    shell: "[ $SLURMD_NODENAME != BAD ] || {{ FAULT; }} > {log} 2>&1; "
           "echo $SLURM_JOB_ID >> writers/{wildcards.n}; echo content {wildcards.n} > {output}"
"""
# what happens in a job on the bad node; for the last two the node itself is changed
FAULTS = {
    "no word": "exit 3",
    "SIGILL": "bash -c 'kill -ILL $$'",
    "I/O error": "cat /proc/self/mem",
    "no package": "true",
    "prolog": "true",
}
BLAMED = {"SIGILL": "AA", "I/O error": "AI", "no package": "D", "prolog": "AH"}


def mounts(cluster: Cluster, fault: str) -> list[str]:
    if fault == "no package":
        (package,) = (Path(path) / "snakemake" for path in sys.path if (Path(path) / "snakemake/cli.py").is_file())
        return [f"mount -t tmpfs none {package.resolve()}"]
    if fault == "prolog":
        return [f"mount --bind /bin/false {cluster.task_prolog}"]
    return ["true"]


def run_with_bad_node(site: Site, cluster: Cluster, fault: str, n_jobs: int, patience: float) -> tuple[int, int]:
    """Run trivial jobs with one bad node of three; how many submissions and how many failures it took.

    Raises:
        AssertionError: a retry landed on the node that had failed its job, a job did not end well, or something was
            made twice.
    """
    site.rules(RULES.replace("N_JOBS", str(n_jobs)).replace("BAD", BAD).replace("FAULT", FAULTS[fault]))
    (site.folder / "writers").mkdir(exist_ok=True)
    with cluster.changed_node(BAD, mounts(cluster, fault)):
        assert site.run("--jobs=12", timeout=patience) == 0, site.output()[-4000:] + site.why()
    for number in range(n_jobs):
        assert (site.folder / f"out/{number}.txt").read_text() == f"content {number}\n"
        assert len((site.folder / f"writers/{number}").read_text().split()) == 1, "made twice"
    jobs = site.jobs()
    places: dict[str, list[str]] = {}
    for job in jobs:
        row = cluster.sacct(job.job, "NodeList")[0]
        places.setdefault(job.wildcards, []).append(row["NodeList"])
    failed = failed_on(site.record())
    assert failed and {node for nodes in failed.values() for node in nodes} == {BAD}
    again = {label: nodes for label, nodes in places.items() if nodes.count(BAD) > 1}
    assert again == {}, f"retries on the node that had failed the job: {again}"
    recorded = [(bad.node, bad.reason.partition(":")[0]) for bad in site.bad_nodes()]
    assert recorded == ([(BAD, BLAMED[fault])] if fault in BLAMED else [])
    return len(jobs), sum(map(len, failed.values()))


@pytest.mark.parametrize("fault", ["no word", "prolog"])
def test_no_retry_lands_on_the_node_that_failed_its_job(site: Site, cluster: Cluster, fault: str) -> None:
    run_with_bad_node(site, cluster, fault, 6, 120)


@pytest.mark.long
def test_gpu_that_was_given_and_is_not_there_blames_the_node(site: Site, cluster: Cluster) -> None:
    site.rules(
        'rule work:\n    output: "out/{name}.txt"\n    resources: gpu=1, slurm_partition="gpu"\n'
        '    shell: "[ $CUDA_VISIBLE_DEVICES != NoDevFiles ] && touch {output}"\n'
    )
    with cluster.changed_node("node01", env={"CUDA_VISIBLE_DEVICES": "NoDevFiles"}):
        cluster.drain("node02")
        with site.running("out/a.txt") as snakemake:
            site.wait_for("the node's record", lambda: [bad.node for bad in site.bad_nodes()] == ["node01"])
            cluster.resume("node02")
            assert site.end(snakemake) == 0, site.output()
    assert [site.state(job.job)["NodeList"] for job in site.jobs()] == ["node01", "node02"]
    site.named("R", site.jobs()[0], "node01")


@pytest.mark.long
def test_program_that_fails_everywhere_blames_no_node(site: Site, cluster: Cluster) -> None:
    site.rules(
        'rule work:\n    output: "out/{name}.txt"\n    log: "logs/{name}.log"\n'
        "    shell: \"bash -c 'kill -ILL $$' > {log} 2>&1; touch {output}\"\n"
    )
    assert site.run("out/a.txt") == 1
    assert len({site.state(job.job)["NodeList"] for job in site.jobs()}) == 3, "each attempt on another node"
    assert site.bad_nodes() == []
    assert "the same on node01, node02, node03" in site.why()


@pytest.mark.long
def test_every_fault_with_many_jobs(site: Site, cluster: Cluster, write_docs: Path | None) -> None:
    """The figures of docs/slurm.md: SOCIOLECT_LONG is the number of jobs for each fault."""
    n_jobs = int(os.environ.get("SOCIOLECT_LONG", "200"))
    lines = []
    for fault in FAULTS:
        began = time.monotonic()
        submissions, failures = run_with_bad_node(site, cluster, fault, n_jobs, 20 * n_jobs)
        lines.append(f"| {fault} | {n_jobs} | {submissions} | {failures} | 0 | 0 | {time.monotonic() - began:.0f} s |")
        site.forget()
    head = "| fault of one node of three | jobs | submissions | failed on it | retries on it | made twice | took |"
    text = "\n".join([head, "| --- " * 7 + "|", *lines])
    print(text)
    if write_docs:
        write_block(write_docs, "one bad node", text)
