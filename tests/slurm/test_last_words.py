"""Faults after which nothing of the program's own stood in its log: each is named for what it is, on a real cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from slurm.cluster import Cluster
from slurm.projects import Site
from slurm.table import CauseTable
from slurm.test_causes import (
    ONE,
    PLAIN,
    WORKING,
    bare_environment,
    fails_on_node03_and_then_goes_elsewhere,
    made,
)

SOLO = PLAIN.replace("    shell:", "    resources: slurm_partition='solo'\n    shell:")
GPU = PLAIN.replace("    shell:", "    resources: gpu=1, slurm_partition='gpu'\n    shell:")
# what stands before the program in its rule, the program, the cause and words of its line
FAULTS = {
    "SIGKILL": ("", "os.kill(os.getpid(), signal.SIGKILL)", "H", "killed by SIGKILL in stage imports: the memory"),
    "SIGSEGV": ("", "os.kill(os.getpid(), signal.SIGSEGV)", "AA", "killed by SIGSEGV in stage imports: a library"),
    "SIGILL": ("", "os.kill(os.getpid(), signal.SIGILL)", "AA", "killed by SIGILL in stage imports: the CPU"),
    "SIGBUS": ("", "os.kill(os.getpid(), signal.SIGBUS)", "AA", "killed by SIGBUS in stage imports: /dev/shm"),
    "nothing": ("@python -m nowhere.at_all;", "", "AF", "module specification for 'nowhere.at_all'"),
    "early": ("test -e nowhere || exit 3;", "", "AF", "exit status 3"),
    "closed": ("profiles/slurm/config.yaml;", "", "AC", "profiles/slurm/config.yaml: Permission denied"),
}
BEFORE = """
BEFORE = {before}
rule work:
    output: "out/{{name}}.txt"
    log: "logs/{{name}}.log"
    params: before=lambda wildcards: BEFORE[wildcards.name]
    shell: "ulimit -c 0; ({{params.before}} @python workflow/scripts/start_program.py --interpreter @python --gpus 0 "
           "{{wildcards.name}} --heartbeat {{log}}.beat) > {{log}} 2>&1"
"""


def fails(site: Site, cause: str, stage: str = "", node: str = "") -> str:
    """The line of `make why` on the one job, which fails; Snakemake's own trailer is nowhere in it."""
    with site.running("--retries=0", ONE) as snakemake:
        job = site.wait_state("FAILED")
        line = site.named(cause, job, node or site.state(job.job)["NodeList"], stage)
        assert site.end(snakemake) == 1
    assert "Error in rule" not in line and "RuleException" not in line
    return line


def test_programs_that_end_without_a_word(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(BEFORE.format(before={name: before for name, (before, *_) in FAULTS.items()}))
    for name, (_, text, *_) in FAULTS.items():
        site.program(name, f"import os, signal\n{text}\n")
    assert site.run("--retries=0", *(f"out/{name}.txt" for name in FAULTS)) == 1
    nodes = {job.wildcards.removeprefix("name="): site.state(job.job)["NodeList"] for job in site.jobs()}
    assert set(nodes) == set(FAULTS)
    lines = {}
    for job in site.jobs():
        name = job.wildcards.removeprefix("name=")
        _, _, cause, words = FAULTS[name]
        lines[name] = site.named(cause, job, nodes[name])
        assert words in lines[name] and "Error in rule" not in lines[name]
    bad = {path.name for path in (site.folder / ".snakemake/sociolect/bad_nodes").glob("[!.]*")}
    assert bad == {nodes["SIGILL"], nodes["SIGBUS"]}
    normally = "What started the program outlives it and writes the signal down; SIGILL and SIGBUS keep the node out."
    cause_table.add("AA", "a program that a signal ends in its imports", lines["SIGSEGV"], normally)
    normally = "Rules have no shell of their own: `command()` in workflow/rules/common.smk makes it."
    cause_table.add("AF", "`exit 3` in the rule, before the program", lines["early"], normally)
    cause_table.add("AC", "a command that lacks its x bit", lines["closed"], normally)


def test_srun_that_cannot_start_a_step(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(SOLO)
    site.program("working", WORKING)
    # srun alone loads it: SLURM is not whole on that node
    (plugin,) = Path("/usr/lib").glob("*/slurm*/launch_slurm.so")
    with cluster.changed_node("node03", [f"mount --bind /dev/null {plugin}"]):
        line = fails(site, "AE", node="node03")
    normally = "srun's own word is shown, not what Snakemake prints below it."
    cause_table.add("AE", "a node on which a plugin of srun is missing", line, normally)


def test_results_on_a_full_disk(site: Site, cluster: Cluster) -> None:
    site.rules(SOLO)
    site.program("working", WORKING)
    (site.folder / "logs").mkdir()
    full = [
        f"mount -t tmpfs -o size=64k none {site.folder}/logs",
        f"head -c 65536 /dev/zero >{site.folder}/logs/x || true",
    ]
    with cluster.changed_node("node03", full):
        line = fails(site, "L", node="node03")
    assert "the disk of the results folder is full" in line and "SOCIOLECT_TMP" not in line


HANGS = """#!/bin/sh
[ "$SLURMD_NODENAME" = node01 ] || { echo 550.1; exit 0; }
trap '' TERM
while :; do sleep 1; done
"""


@pytest.mark.long
def test_nvidia_smi_that_does_not_end(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(GPU)
    site.program("working", WORKING)
    (site.folder / "bin").mkdir()
    smi = site.folder / "bin/nvidia-smi"
    smi.write_text(HANGS)
    smi.chmod(0o755)
    path = site.environment()["PATH"]
    site.variables |= {"PATH": f"{site.folder}/bin:{path}", "SOCIOLECT_GPU_WAIT_S": "2"}
    cluster.drain("node02")
    with site.running(ONE) as snakemake:
        job = site.wait_state("RUNNING")
        site.wait_for(
            "the start line",
            lambda: f"[start] job={job.job} " in site.text(f".snakemake/slurm_logs/rule_work/a/{job.job}.log"),
            5,
        )
        site.wait_state("FAILED", timeout=20)
        line = site.named("R", job, "node01", "preflight")
        cluster.resume("node02")
        assert site.end(snakemake) == 0, site.output()
    assert "nvidia-smi gave no answer in 2 s" in line and site.state(site.jobs()[1].job)["NodeList"] == "node02"
    assert "driver=550.1" in Path(site.jobs()[1].slurm_log).read_text() and made(site)
    normally = "It is killed after 60 s (2 s here), the node is kept out, and the second attempt ran elsewhere."
    cause_table.add("R", "an nvidia-smi on one node that ignores SIGTERM", line, normally)


def broken_library(site: Site) -> Path:
    """A folder for LD_LIBRARY_PATH with libraries that are none."""
    folder = site.folder / "broken"
    folder.mkdir()
    for name in ("libpython3.11.so.1.0", "libpython3.12.so.1.0", "libpython3.13.so.1.0", "libssl.so.3", "libz.so.1"):
        (folder / name).write_text("")
    return folder


@pytest.mark.long
def test_libraries_that_come_before_those_of_the_environment(
    site: Site, cluster: Cluster, cause_table: CauseTable
) -> None:
    site.rules(SOLO)
    site.program("working", WORKING)
    broken, empty = broken_library(site), site.folder / "modules"
    empty.mkdir()
    site.variables["LD_LIBRARY_PATH"] = str(empty)
    with cluster.changed_node("node03", [f"mount --bind {broken} {empty}"]):
        line = fails(site, "AB", "preflight", "node03")
    assert f"LD_LIBRARY_PATH={site.folder}" in line or "LD_LIBRARY_PATH=./modules" in line
    # set for the step alone, by the site's task prolog
    del site.variables["LD_LIBRARY_PATH"]
    packages = site.folder / "packages/numpy"
    packages.mkdir(parents=True)
    (packages / "__init__.py").write_text("raise ImportError('numpy for another Python')\n")
    site.program("working", "import numpy\n" + WORKING)
    with cluster.changed_node("node03", env={"LD_LIBRARY_PATH": str(broken)}):
        assert "libpython3" in fails(site, "AB", node="node03")
    with cluster.changed_node("node03", env={"PYTHONPATH": str(packages.parent)}):
        assert "packages/numpy" in fails(site, "AB", node="node03")
    normally = "job_env.sh says so before anything is started; PYTHONPATH and PYTHONHOME it unsets itself."
    cause_table.add("AB", "empty libraries in a folder of LD_LIBRARY_PATH", line, normally)


@pytest.mark.long
def test_packages_that_one_node_lacks(site: Site, cluster: Cluster) -> None:
    env, packages = bare_environment(site.folder)
    (packages / "only_elsewhere").mkdir()
    (packages / "only_elsewhere/part.py").write_text("")
    site.rules(PLAIN.replace("@python", str(env / "bin/python")))
    site.program("working", "import only_elsewhere.part\n" + WORKING)
    with cluster.changed_node("node03", [f"mount -t tmpfs none {packages}/only_elsewhere"]):
        line = fails_on_node03_and_then_goes_elsewhere(site, "C", "exec")
    assert "node03 lacks a package that the environment has elsewhere (only_elsewhere.part, in ./env)" in line


@pytest.mark.long
def test_limits_of_the_login_shell(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN.replace(" working ", " {wildcards.name} "))
    site.program("files", "held = [open('/dev/null') for _ in range(999)]\n")
    site.program("memory", "held = bytearray(4 << 30)\n")
    site.login = "ulimit -n 200; ulimit -v 4000000"
    assert site.run("--retries=0", "out/files.txt", "out/memory.txt") == 1
    lines = {}
    for job, cause in zip(sorted(site.jobs(), key=lambda job: job.wildcards), ("AD", "H"), strict=True):
        lines[cause] = site.named(cause, job, site.state(job.job)["NodeList"])
    assert "the limit is 200" in lines["AD"] and "(ulimit -v 4000000 kB)" in lines["H"]
    normally = "SLURM hands the limits of the shell that starts Snakemake on to every job; the `[start]` line has them."
    cause_table.add("AD", "`ulimit -n 200` in the shell that starts Snakemake", lines["AD"], normally)


@pytest.mark.long
def test_output_on_a_disk_of_the_node(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(SOLO)
    site.program("working", WORKING)
    (site.folder / "out").mkdir()
    with cluster.changed_node("node03", [f"mount -t tmpfs none {site.folder}/out"]):
        with site.running("--retries=0", "--latency-wait=2", ONE) as snakemake:
            job = site.wait_state("COMPLETED")
            assert site.end(snakemake) == 1
        line = site.named("AG", job, "node03")
    assert ONE in line and "Cause AG" in site.output()
    normally = "Snakemake looks for every output after `latency-wait`; the run ends with this line."
    cause_table.add("AG", "the folder of the results is a disk of the node's own", line, normally)
