"""Measures as style vectors: no SFAM anywhere, and a chain in which they lose nothing; an SFAM that learned nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from conftest import skip_here, snakemake
from sociolect.common import schemas
from sociolect.common.artifacts import matrix, read_table
from sociolect.settings.syntax import is_installed
from sociolect.sfam.threshold import read_threshold
from sociolect.syntax.measures import SYNTAX_MEASURES

SMALL: dict[str, dict[str, Any]] = {
    "demo": {"answers_per_group": 120, "multi_answers_per_group": 40, "askx_questions_per_group": 40},
    "sampling": {
        "minimum": {"single": 100, "multi": 30, "askx": 30},
        "per_group": {"single": 120, "multi": 30, "askx": 30},
    },
    "description": {"n_answers": 300, "n_heldout": 60},
    "labeling": {"scorer": "measured", "shards": 1},
    "embedding": {"n_trials": 2, "max_epochs": 3},
    "profiles": {"bootstrap": 10},
    "evaluation": {"resamples": 200},
}


def config_of(project: Path, **more: dict[str, Any]) -> str:
    values = yaml.safe_load((project / "config/demo.yaml").read_text())
    for section in (SMALL, more):
        for name, keys in section.items():
            values[name] = values.get(name, {}) | keys
    (project / "small.yaml").write_text(yaml.safe_dump(values))
    return "small.yaml"


def test_without_sfam_the_whole_run_is_planned_and_labels_come_from_the_measures(project: Path) -> None:
    config = config_of(project)
    planned = snakemake(project, "--dry-run", "--configfile", config).stdout
    assert "results/demo/sfam" not in planned and "models/sfam" not in planned
    for rule in ("make_scratch_sfam", "pair_attributes", "train_sfam", "check_sfam", "distil_student"):
        assert f"rule {rule}:" not in planned
    assert "labels/generations-main/1-of-1.parquet" in planned and "rule score_generations:" in planned

    snakemake(project, "--configfile", config, "--", "embedding")
    run = project / "results/demo"
    labels, table = (
        read_table(run / f"{name}.parquet", schema)
        for name, schema in (("labels/single", schemas.LABELS), ("attributes/calibration", schemas.CALIBRATION))
    )
    style = matrix(labels["style"])
    assert read_threshold(run / "attributes/calibration.json") == 0.5
    # the usage rates are the describer's: it said each attribute of the share of answers that score at least .5
    catalogue = read_table(run / "attributes/catalogue.parquet", schemas.CATALOGUE)
    said = read_table(run / "attributes/sentences.parquet", schemas.SENTENCES).filter(part="train")
    described = labels["answer_id"].is_in(said["answer_id"].unique().to_list()).to_numpy()
    rates = (style[described] >= 0.5).sum(axis=0)
    in_single = set(labels["answer_id"])
    expected = [sum(a in in_single for a in ids) for ids in catalogue["answer_ids"].to_list()]
    assert rates.tolist() == expected and min(expected) > 0
    assert set(table["attribute_id"]) == set(catalogue["attribute_id"])

    chain = read_table(run / "embedding/main/chain.parquet", schemas.CHAIN).filter(split="all", part="test")
    assert chain["stage"].to_list() == [
        "raw measures",
        "attributes as described",
        "calibrated measures",
        "embedding, by regression",
        "embedding, nearest group",
    ]
    value = dict(zip(chain["stage"], chain["value"], strict=True))
    assert value["calibrated measures"] > 0.8 and value["raw measures"] - value["calibrated measures"] < 0.05
    usage = matrix(read_table(run / "groups/main.parquet", schemas.GROUPS)["usage"])
    assert ((usage >= 0) & (usage <= 1)).all() and np.ptp(usage, axis=0).max() > 0.2


def test_measures_need_the_describer_that_measures(project: Path) -> None:
    config = config_of(project, description={"describer": "llm"})
    done = snakemake(project, "--dry-run", "--configfile", config, check=False)
    said = (done.stdout + done.stderr).splitlines()
    [line] = [line for line in said if "key 'labeling.scorer': it is measured" in line]
    assert done.returncode and "set description.describer: stylometry, or labeling.scorer: cross_encoder" in line


def test_graded_targets_wait_for_the_calibration(project: Path) -> None:
    config = config_of(project, labeling={"scorer": "cross_encoder"}, pairs={"targets": "graded"})
    planned = snakemake(project, "--dry-run", "--configfile", config, "--", "results/demo/sfam/pairs.parquet").stdout
    assert "rule calibrate_measures:" in planned


def test_measures_of_syntax_are_style_vectors(project: Path) -> None:
    if not is_installed("en_core_web_sm"):
        skip_here("spaCy is not installed: make setup-syntax")
    config = config_of(project, syntax={"tagger": "en_core_web_sm"}, description={"n_answers": 240, "n_heldout": 30})
    planned = snakemake(project, "--dry-run", "--configfile", config).stdout
    assert "results/demo/sfam" not in planned
    for texts, rules in (
        ("single", ("calibrate_measures", "measure_chain", "measure_topic")),
        ("generations-main", ("label_answers",)),
        ("humans-main", ("label_answers",)),
    ):
        for rule in rules:
            inputs = [job.partition("output:")[0] for job in planned.split(f"rule {rule}:")[1:]]
            assert any(f"syntax/{texts}.parquet" in files for files in inputs), rule

    snakemake(project, "--configfile", config, "--", "results/demo/labels/single.parquet")
    run = project / "results/demo"
    # an answer has the attributes of syntax that the describer said of it
    catalogue = read_table(run / "attributes/catalogue.parquet", schemas.CATALOGUE)
    calibration = read_table(run / "attributes/calibration.parquet", schemas.CALIBRATION)
    alone = calibration.filter(pl.len().over("attribute_id") == 1, pl.col("measure").is_in(SYNTAX_MEASURES))
    assert alone.height > 5
    labels = read_table(run / "labels/single.parquet", schemas.LABELS)
    said = read_table(run / "attributes/sentences.parquet", schemas.SENTENCES)
    described = labels.filter(pl.col("answer_id").is_in(said["answer_id"].to_list()))
    style = matrix(described["style"])
    number = {attribute_id: i for i, attribute_id in enumerate(catalogue["attribute_id"])}
    name = dict(catalogue.select("attribute_id", "attribute").iter_rows())
    for attribute_id in alone["attribute_id"]:
        has = set(said.filter(pl.col("attribute") == name[attribute_id])["answer_id"])
        assert [i in has for i in described["answer_id"]] == (style[:, number[attribute_id]] >= 0.5).tolist()


def test_a_sweep_with_vllm_cannot_tag(project: Path) -> None:
    config = config_of(project, syntax={"tagger": "en_core_web_sm"}, sweep={"backend": "vllm"})
    done = snakemake(project, "--dry-run", "--configfile", config, check=False)
    [line] = [line for line in (done.stdout + done.stderr).splitlines() if "labeling.scorer is measured" in line]
    assert done.returncode and "set sweep.backend: transformers, or syntax.tagger: none" in line


def test_an_sfam_that_learned_nothing_ends_the_run_before_it_labels(project: Path) -> None:
    config = config_of(project, labeling={"scorer": "cross_encoder"}, sfam={"max_steps": 2, "eval_steps": 1})
    done = snakemake(project, "--configfile", config, "--", "results/demo/labels/single.parquet", check=False)
    assert done.returncode
    last = (project / "results/demo/logs/check_sfam.log").read_text().strip().splitlines()[-1]
    assert last.startswith("error: SFAM has an AUROC of 0.") and "after 2 steps, below sfam.min_auroc 0.75" in last
    assert not (project / "results/demo/logs/label_answers").exists()
    # what was trained is kept, and another minimum lets it label
    config = config_of(
        project, labeling={"scorer": "cross_encoder"}, sfam={"max_steps": 2, "eval_steps": 1, "min_auroc": 0}
    )
    planned = snakemake(project, "--dry-run", "--configfile", config, "--", "results/demo/labels/single.parquet").stdout
    assert "rule check_sfam:" in planned and "rule label_answers:" in planned and "rule train_sfam:" not in planned
