"""Whatever a run waits for, it says so within a minute; it goes on by itself, and no healthy node is blamed."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from slurm.cluster import Cluster
from slurm.projects import Site

RULES = """
rule work:
    output: "out/{name}.txt"
    log: "logs/{name}.log"
    shell: "touch at_work.{wildcards.name}; until [ -e go ]; do sleep 0.1; done; echo $SLURM_JOB_ID > {output}"
"""


@contextmanager
def small_disk(folder: Path, *options: str) -> Iterator[None]:
    """A file system of its own at a folder, for this machine and its nodes."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, files: bool = False) -> Path:
    """Take all the room of a disk, or all its files, under a folder that is returned."""
    hoard = folder / "hoard"
    hoard.mkdir()
    with suppress(OSError), (hoard / "data").open("wb", buffering=0) as stream:
        while not files:
            stream.write(bytes(4096))
    with suppress(OSError):
        for number in range(10_000 if files else 0):
            (hoard / str(number)).touch()
    return hoard


def empty(hoard: Path) -> None:
    for path in hoard.iterdir():
        path.unlink()
    hoard.rmdir()


def test_run_on_a_full_disk_waits_and_goes_on_by_itself(site: Site, cluster: Cluster) -> None:
    site.rules(RULES)
    targets = [f"out/{name}.txt" for name in "abcd"]
    with small_disk(site.folder / ".snakemake", "size=24m"), site.running("--jobs=2", *targets) as snakemake:
        site.wait_for("two jobs at work", lambda: len(list(site.folder.glob("at_work.*"))) == 2)
        first = site.jobs()
        hoard = fill(site.folder / ".snakemake")
        (site.folder / "go").touch()
        site.wait_for("the watcher's word", lambda: "[disk] " in site.output(), 30)
        site.wait_for("the ends of the jobs", lambda: not cluster.jobs(), 60)
        time.sleep(4)
        assert snakemake.poll() is None, site.output()
        assert len(site.jobs()) == 2, "what is held back is not tried again, and nothing new is submitted"
        empty(hoard)
        assert site.end(snakemake) == 0, site.output()
        ended_well = [job for job in site.jobs() if site.state(job.job)["JobState"] == "COMPLETED"]
        assert sorted(job.wildcards for job in ended_well) == [f"name={name}" for name in "abcd"], "nothing twice"
        assert {job.job for job in first} <= {job.job for job in site.jobs()} and site.bad_nodes() == []
    for job in ended_well:
        assert site.text(f"out/{job.wildcards.partition('=')[2]}.txt") == f"{job.job}\n"
    assert "No space left on device: the run waits for room" in site.output()
    assert "[disk] there is room again" in site.output()


@pytest.mark.long
def test_full_results_folder_uses_up_no_attempts(site: Site, cluster: Cluster) -> None:
    site.rules(RULES.replace("out/", "results/").replace("logs/", "results/logs/").replace(
        "echo $SLURM_JOB_ID", "head -c 400000 /dev/zero"))  # fmt: skip
    with small_disk(site.folder / "results", "size=1m"), site.running("results/a.txt") as snakemake:
        site.wait_for("the job at work", lambda: (site.folder / "at_work.a").exists())
        hoard = fill(site.folder / "results")
        (site.folder / "go").touch()
        job = site.wait_state("FAILED")
        site.wait_for("the watcher's word", lambda: "[disk] " in site.output(), 30)
        time.sleep(4)
        assert snakemake.poll() is None and len(site.jobs()) == 1, site.output()
        empty(hoard)
        assert site.end(snakemake) == 0, site.output()
        assert (site.folder / "results/a.txt").stat().st_size == 400000
    assert [entry.attempt for entry in site.jobs()] == [1, 2] and site.bad_nodes() == []
    site.named("L", job, site.state(job.job)["NodeList"])


@pytest.mark.long
def test_full_quota_blames_no_node(site: Site, cluster: Cluster) -> None:
    site.rules(RULES)
    (site.folder / "go").touch()
    logs = site.folder / ".snakemake/slurm_logs"
    with small_disk(logs, "size=8m", "nr_inodes=40"), site.running("out/a.txt") as snakemake:
        for node in cluster.nodes():
            cluster.drain(node)
        site.wait_state("PENDING")
        hoard = fill(logs, files=True)
        for node in cluster.nodes():
            cluster.resume(node)
        job = site.wait_state("FAILED")
        assert site.state(job.job)["ExitCode"] == "0:53", "SLURM could not make its log"
        site.wait_for("the reason", lambda: f"job {job.job}, " in site.output() and "[disk] " in site.output(), 30)
        assert len(site.jobs()) == 1 and site.bad_nodes() == [], site.output()
        empty(hoard)
        assert site.end(snakemake) == 0, site.output()
    assert site.bad_nodes() == [] and len(site.jobs()) == 2
    site.named("L", job, site.state(job.job)["NodeList"])
    assert "Cause E" not in site.output()


def test_controller_away_at_the_start_is_said_and_waited_for(site: Site, cluster: Cluster) -> None:
    site.rules(RULES)
    (site.folder / "go").touch()
    cluster.kill_controller()
    began = time.monotonic()
    with site.running("out/a.txt") as snakemake:
        site.wait_for("its word", lambda: "[slurm] the controller does not answer" in site.output(), 60)
        print(f"said after {time.monotonic() - began:.0f} s")
        cluster.start_controller()
        assert site.end(snakemake) == 0, site.output()
    assert "[slurm] the controller answers again" in site.output() and site.bad_nodes() == []


@pytest.mark.long
def test_job_behind_an_epilog_is_waited_for_with_a_word(site: Site, cluster: Cluster) -> None:
    site.rules(RULES)
    (site.folder / "go").touch()
    cluster.epilog_holds.touch()
    with site.running("out/a.txt") as snakemake:
        job = site.wait_state("COMPLETING")
        site.wait_for("its word", lambda: "is still cleaning up behind it" in site.output(), 30)
        assert "COMPLETING" in site.named("K", job, site.state(job.job)["NodeList"])
        cluster.epilog_holds.unlink()
        assert site.end(snakemake) == 0, site.output()
    assert "[stuck]" not in site.output()


BEATS = """
import sys, time
from pathlib import Path
from sociolect.common.heartbeat import write_beat
write_beat(Path(sys.argv[sys.argv.index("--heartbeat") + 1]), "model", limit_s=15)
while not Path("go").exists():
    time.sleep(0.1)
Path(sys.argv[sys.argv.index("--out") + 1]).write_text("done")
"""


def test_suspended_job_is_no_hang_neither_then_nor_after(site: Site, cluster: Cluster) -> None:
    start = "@python workflow/scripts/start_program.py --interpreter @python --gpus 0 beating"
    site.rules(
        f'rule work:\n    output: "out/{{name}}.txt"\n    log: "logs/{{name}}.log"\n'
        f'    shell: "{start} --out {{output}} --heartbeat {{log}}.beat > {{log}} 2>&1"\n'
    )
    site.program("beating", BEATS)
    with site.running("--retries=0", "out/a.txt") as snakemake:
        job = site.wait_state("RUNNING")
        site.wait_for("the program's stage", lambda: '"model"' in site.text("logs/a.log.beat"))
        cluster.run("scontrol", "suspend", job.job)
        site.wait_for("its word", lambda: "[waiting] work [name=a]" in site.output(), 30)
        time.sleep(16)
        line = site.named("K", job, site.state(job.job)["NodeList"])
        assert "suspended" in line and "do not cancel it" in line
        cluster.run("scontrol", "resume", job.job)
        time.sleep(3)
        assert "[stuck]" not in site.output() and "no job failed, hangs or waits" in site.why()
        (site.folder / "go").touch()
        assert site.end(snakemake) == 0, site.output()


def test_refused_job_is_named_at_once_and_not_tried_again(site: Site) -> None:
    site.rules(RULES.replace("    shell:", "    resources: slurm_partition=lambda wildcards: "
                             "'nowhere' if wildcards.name == 'a' else 'cpu'\n    shell:"))  # fmt: skip
    with site.running("out/a.txt", "out/b.txt") as snakemake:
        site.wait_for("its word", lambda: "[refused] work [name=a]" in site.output(), 30)
        assert "invalid partition specified: nowhere" in site.output() and snakemake.poll() is None
        site.wait_state("RUNNING")
        (site.folder / "go").touch()
        assert site.end(snakemake) == 1
    assert (site.folder / "out/b.txt").exists(), "a refused job stops no other"
    lines = (site.record() / "jobs.jsonl").read_text().splitlines()
    assert sum('"refused"' in line for line in lines) == 1 and site.output().count("[refused]") == 1


def test_job_that_can_never_start_is_named(site: Site, cluster: Cluster) -> None:
    failed = cluster.submit("exit 1")
    cluster.wait_job(failed)
    extra = f"resources: slurm_extra='--dependency=afterok:{failed}'"
    site.rules(RULES.replace("    shell:", f"    {extra}\n    shell:"))
    with site.running("out/a.txt") as snakemake:
        job = site.wait_state("PENDING")
        site.wait_for("its word", lambda: "so it never starts (DependencyNeverSatisfied)" in site.output(), 40)
        site.named("K", job, "no node yet")
        snakemake.send_signal(signal.SIGTERM)
        site.end(snakemake)
