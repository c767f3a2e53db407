"""The demo through `snakemake --profile profiles/slurm`: the data of one machine, each rule on what it asked for."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from slurm.cluster import Cluster
from slurm.projects import Site

LANGUAGE_MODEL = {
    *("extract_activations", "read_answers", "answer_unsteered", "try_method", "generate_answers", "measure_fluency"),
    *("choose_wording", "answer_adapted"),
}
CLASSIFIER = {"train_sfam", "label_answers"}


@pytest.fixture(scope="module")
def finished(cluster: Cluster) -> Iterator[Site]:
    """The demo, run on the cluster from nothing."""
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir="/var/tmp"))
    site = Site(folder, cluster)
    site.variables = {}
    assert site.run(timeout=1500) == 0, site.output()[-5000:] + site.why()
    yield site
    # the watcher outlives Snakemake by some seconds, and writes that the run is closed
    site.wait_for("the end of the watcher", (site.record() / "closed").exists, 120)
    shutil.rmtree(folder)


def tables(folder: Path) -> dict[str, Path]:
    """Every parquet file of a run by its place, the caches' pieces left out."""
    run = folder / "results/demo"
    found = {path.relative_to(run).as_posix(): path for path in run.rglob("*.parquet")}
    return {name: path for name, path in found.items() if not name.startswith("cache/")}


def node_of(slurm_log: str) -> str:
    """Node that a job says it ran on."""
    return re.findall(r"^\[start\] job=.* node=(\S+) ", Path(slurm_log).read_text(), re.MULTILINE)[0]


def test_data_are_those_of_one_machine(finished: Site, demo: Path) -> None:
    local, cluster = tables(demo), tables(finished.folder)
    assert set(local) == set(cluster) and len(local) > 60
    different = [name for name in local if not pl.read_parquet(local[name]).equals(pl.read_parquet(cluster[name]))]
    assert different == []
    for name in (
        *("sfam/metrics.json", "embedding/main/model.safetensors", "steering/main.choice.json"),
        *("comparison/main.csv", "comparison/main.md", "comparison/main.judges.md", "comparison/main.examples.md"),
    ):
        assert (demo / "results/demo" / name).read_bytes() == (finished.folder / "results/demo" / name).read_bytes(), (
            name
        )
    assert "Comparison: main" in finished.output() and not list(finished.folder.rglob("results/**/*.beat"))


def test_each_rule_got_what_it_asked_for(finished: Site, cluster: Cluster) -> None:
    jobs = finished.jobs()
    assert {job.attempt for job in jobs} == {1} and len(jobs) >= 45
    seen: dict[str, set[str]] = {}
    for job in jobs:
        tres = cluster.alloc_tres(job.job)
        (start,) = re.findall(r"^\[start\] program=.*$", Path(job.log).read_text(), re.MULTILINE)
        assert f"program={job.rule} job={job.job} " in start
        visible = re.search(r"gpus=(\S+)", start)[1]  # type: ignore[index]
        if job.rule in LANGUAGE_MODEL:
            assert "gres/gpu:a100=1" in tres and visible in ("0", "1"), (job.label, tres, start)
        elif job.rule in CLASSIFIER:
            assert "gres/gpu=1" in tres and visible in ("0", "1"), (job.label, tres, start)
        else:
            assert "gpu" not in tres and visible == "-", (job.label, tres, start)
        assert tres.split(",").count("node=1") == 1, tres
        seen.setdefault(job.rule, set()).add(node_of(job.slurm_log))
    assert set(seen) >= LANGUAGE_MODEL | CLASSIFIER
    assert len(seen["label_answers"]) > 1, "sharded labeling ran on one node only"
    assert seen["extract_activations"] == {"node01"}, "the only node with an a100"


def test_second_run_has_nothing_to_do(finished: Site) -> None:
    assert finished.run() == 0 and "Nothing to be done" in finished.output()
    assert finished.jobs() == []


def test_one_target_is_made_again_on_the_cluster(finished: Site) -> None:
    target = finished.folder / "results/demo/labels/single.parquet"
    whole = target.read_bytes()
    target.unlink()
    assert finished.run("results/demo/labels/single.parquet") == 0, finished.output()
    assert target.read_bytes() == whole
    assert {job.rule for job in finished.jobs()} == {"gather_labels"}, "no shard is labeled again"
