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
from sociolect.stylometry.stylometry import measure_names
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

# as little as generates and steers at all
TINY: dict[str, dict[str, Any]] = {
    "description": {"n_answers": 240, "n_heldout": 30},
    "scratch": {"lm": {"layers": 2, "heads": 2, "steps": 60, "max_tokens": 160, "chats_per_answer": 2}},
    "sweep": {"alphas": [0.0, 0.4], "depths": [0.5], "band": None, "questions_per_group": 2},
    "generation": {"questions_per_group": 1, "max_new_tokens": 24, "shards": 1},
}
WANTED = [
    "steering/main.sweep.parquet",
    "labels/generations-main.parquet",
    "embedding/main/chain.parquet",
    "embedding/main/topic.parquet",
]


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
    [line] = [line for line in (done.stdout + done.stderr).splitlines() if "labeling.scorer is measured" in line]
    assert done.returncode and "set description.describer: stylometry, or labeling.scorer: cross_encoder" in line


def test_graded_targets_wait_for_the_calibration(project: Path) -> None:
    config = config_of(project, labeling={"scorer": "cross_encoder"}, pairs={"targets": "graded"})
    planned = snakemake(project, "--dry-run", "--configfile", config, "--", "results/demo/sfam/pairs.parquet").stdout
    assert "rule calibrate_measures:" in planned


def test_measures_of_syntax_label_splits_and_what_the_sweep_generates(project: Path) -> None:
    if not is_installed("en_core_web_sm"):
        skip_here("spaCy is not installed: make setup-syntax")
    config = config_of(project, syntax={"tagger": "en_core_web_sm"}, **TINY)
    planned = snakemake(project, "--dry-run", "--configfile", config).stdout
    assert "results/demo/sfam" not in planned and "syntax/generations-main.parquet" in planned
    for rule in ("calibrate_measures", "label_answers", "measure_chain", "measure_topic"):
        assert "syntax/single.parquet" in planned.partition(f"rule {rule}:")[2].partition("output:")[0], rule

    snakemake(project, "--configfile", config, "--", *(f"results/demo/{name}" for name in WANTED))
    run = project / "results/demo"
    calibration = read_table(run / "attributes/calibration.parquet", schemas.CALIBRATION)
    catalogue = read_table(run / "attributes/catalogue.parquet", schemas.CATALOGUE)["attribute_id"].to_list()
    labels = read_table(run / "labels/single.parquet", schemas.LABELS)
    style = matrix(labels["style"])
    # of the attributes that are syntax's alone, an answer has those that the describer said of it
    of_syntax = calibration.filter(pl.col("measure").is_in(SYNTAX_MEASURES))["attribute_id"].unique().to_list()
    assert len(of_syntax) > 10
    names = read_table(run / "attributes/catalogue.parquet", schemas.CATALOGUE).select("attribute_id", "attribute")
    said = read_table(run / "attributes/sentences.parquet", schemas.SENTENCES).join(names, on="attribute")
    place = {answer: row for row, answer in enumerate(labels["answer_id"])}
    described = [answer for answer in said["answer_id"].unique() if answer in place]
    alone = calibration.filter(pl.len().over("attribute_id") == 1).filter(pl.col("attribute_id").is_in(of_syntax))
    for attribute in alone["attribute_id"]:
        has = set(said.filter(pl.col("attribute_id") == attribute)["answer_id"])
        scores = style[[place[answer] for answer in described], catalogue.index(attribute)]
        assert [answer in has for answer in described] == (scores >= 0.5).tolist()
    # the sweep tags what it generates, and the chain knows the measures of syntax
    assert read_table(run / "steering/main.sweep.parquet", schemas.SWEEP).height > 1
    chain = read_table(run / "embedding/main/chain.parquet", schemas.CHAIN)
    assert set(chain.filter(pl.col("stage") == "raw measures")["width"]) == {len(measure_names(True))}
    generated = read_table(run / "labels/generations-main.parquet", schemas.LABELS)
    assert generated.height == read_table(run / "generations/main.parquet", schemas.GENERATIONS).height


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
