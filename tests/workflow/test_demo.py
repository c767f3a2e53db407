"""The real chain on the made-up corpus, judged by the truth that was planted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from conftest import ROOT
from sociolect.common import schemas
from sociolect.common.artifacts import PROVENANCE_KEY, matrix, read_provenance, read_table
from sociolect.common.flags import declared_flags
from sociolect.generation.conditions import ROWS


@pytest.fixture(scope="module")
def run(demo: Path) -> Path:
    return demo / "results/demo"


def test_every_artifact_has_its_schema_and_provenance(run: Path) -> None:
    tables = {
        "corpus/single": schemas.CORPUS,
        "samples/askx": schemas.SAMPLES,
        "attributes/sentences": schemas.SENTENCES,
        "attributes/catalogue": schemas.CATALOGUE,
        "attributes/funnel": schemas.CATALOGUE_FUNNEL,
        "labels/single": schemas.LABELS,
        "embedding/main/trials": schemas.TRIALS,
        "embedding/main/embeddings": schemas.EMBEDDINGS,
        "embedding/main/accuracy": schemas.ACCURACY,
        "embedding/main/chain": schemas.CHAIN,
        "attributes/calibration": schemas.CALIBRATION,
        "sfam/steps": schemas.SFAM_STEPS,
        "embedding/main/topic": schemas.TOPIC,
        "groups/main": schemas.GROUPS,
        "groups/main.stability": schemas.STABILITY,
        "steering/attributes": schemas.ACTIVATIONS,
        "steering/main": schemas.STEERING,
        "generations/main": schemas.GENERATIONS,
        "scores/main": schemas.SCORES,
        "comparison/main": schemas.COMPARISON,
    }
    for name, schema in tables.items():
        path = run / f"{name}.parquet"
        assert read_table(path, schema).height > 0, name
        provenance = read_provenance(path)
        assert {"program", "code", "settings", "seed", "inputs", "versions"} <= set(provenance), name
        drawn = declared_flags(ROOT / f"workflow/scripts/{provenance['program']}.py").seeded
        assert (provenance["seed"] is not None) == drawn, name
        assert PROVENANCE_KEY in pq.read_schema(path).metadata
    for name in ("sfam/teacher/config.json", "sfam/metrics.json", "report.html", "embedding/main/model.safetensors"):
        assert (run / name).stat().st_size > 0
    assert not list(run.rglob("*.part"))


def test_logs_are_lines_without_warnings(run: Path) -> None:
    logs = {path: path.read_text() for path in sorted((run / "logs").rglob("*.log"))}
    assert len(logs) > 25
    for path, text in logs.items():
        assert "Warning" not in text and "it/s]" not in text and "\r" not in text, path


def test_parts_share_neither_question_nor_author(run: Path) -> None:
    samples = pl.concat(
        [read_table(run / f"samples/{s}.parquet", schemas.SAMPLES) for s in ("single", "multi", "askx")]
    )
    for column in ("question_id", "author"):
        assert samples.drop_nulls(column).group_by(column).agg(pl.col("part").n_unique())["part"].max() == 1


def test_sfam_agrees_with_the_describer_on_texts_it_never_saw(run: Path) -> None:
    metrics = json.loads((run / "sfam/metrics.json").read_text())
    assert metrics["held_out_texts"]["all"]["auroc"] >= 0.90
    for part in ("held_out_texts", "held_out_attributes"):
        for kind in ("easy", "hard"):
            assert {"f1", "auroc", "ece"} <= set(metrics[part][kind])


def accuracy(run: Path, model: str, measure: str) -> float:
    table = read_table(run / "embedding/main/accuracy.parquet", schemas.ACCURACY)
    row = table.filter(
        (pl.col("model") == model)
        & (pl.col("measure") == measure)
        & (pl.col("part") == "test")
        & (pl.col("split") == "all")
        & (pl.col("level") == "leaf")
    )
    return row["value"].item()


def test_groups_are_told_apart_better_than_by_style_features_alone(run: Path) -> None:
    net = accuracy(run, "net", "pairwise")
    assert net >= 0.85
    assert net > accuracy(run, "style_only_logreg", "pairwise")
    assert accuracy(run, "majority", "pairwise") == pytest.approx(0.5)


def test_topic_controlled_accuracies_are_the_plain_ones_where_only_style_was_planted(run: Path) -> None:
    topic = read_table(run / "embedding/main/topic.parquet", schemas.TOPIC)
    models = topic.filter(pl.col("kind") == "model")
    assert models.height >= 5
    for row in models.iter_rows(named=True):
        assert abs(row["drop"]) <= 0.05 and row["kept_low"] > 0.9 and not row["may_be_topic"], row["model"]
        assert row["accuracy"] == pytest.approx(accuracy(run, row["model"], "pairwise"), abs=1e-9), row["model"]
    question = topic.filter(pl.col("model") == "question").row(0, named=True)
    assert question["accuracy_low"] <= 0.55
    log = (run / "logs/measure_topic/main.log").read_text()
    assert "net keeps" in log and "may be topic" not in log


def test_only_the_pair_that_is_nearly_alike_needs_more_answers_than_there_are(run: Path) -> None:
    truth = read_table(run / "demo/truth.parquet", schemas.TRUTH).drop_nulls("alike")
    stability = read_table(run / "groups/main.stability.parquet", schemas.STABILITY)
    whole = stability.filter(
        pl.col("whole"), pl.col("group").is_not_null(), pl.col("unit") == "authors", pl.col("statistic") == "median"
    )
    assert set(whole.filter(~pl.col("within"))["group"]) == set(truth["group"])


def test_planted_distinctive_attributes_are_found(run: Path) -> None:
    truth = read_table(run / "demo/truth.parquet", schemas.TRUTH).filter(pl.col("kind") == "distinctive")
    names = dict(
        read_table(run / "attributes/catalogue.parquet", schemas.CATALOGUE)
        .select("attribute_id", "attribute")
        .iter_rows()
    )
    found = {
        (group, names[a])
        for group, ids in read_table(run / "groups/main.parquet", schemas.GROUPS)
        .select("group", "distinctive")
        .iter_rows()
        for a in ids
    }
    planted = set(truth.select("group", "attribute").iter_rows())
    assert len(planted) >= 10
    assert len(planted & found) / len(planted) >= 0.7


def test_the_pair_that_is_nearly_alike_is_reported_as_such(run: Path) -> None:
    truth = read_table(run / "demo/truth.parquet", schemas.TRUTH).drop_nulls("alike")
    planted = {frozenset(row) for row in truth.select("group", "alike").iter_rows()}
    distances = read_table(run / "groups/main.distances.parquet", schemas.GROUP_DISTANCES)
    reported = {frozenset(row) for row in distances.filter("alike").select("group", "other").iter_rows()}
    assert reported == planted
    assert frozenset(distances.sort("ratio").select("group", "other").row(0)) in planted


def test_the_table_has_its_eight_rows(run: Path) -> None:
    table = read_table(run / "comparison/main.parquet", schemas.COMPARISON)
    assert table["condition"].to_list() == list(ROWS)
    assert table["group_changes"][0] is None
    assert min(table["n"].to_list()) > 0
    for suffix in ("csv", "md", "tex", "html"):
        assert "question+group" in (run / f"comparison/main.{suffix}").read_text().replace("\\_", "_")


def row_of(run: Path, condition: str) -> dict[str, float]:
    table = read_table(run / "comparison/main.parquet", schemas.COMPARISON)
    return table.filter(pl.col("condition") == condition).row(0, named=True)


def contrast(run: Path, condition: str, against: str, measure: str = "hit_rate") -> dict[str, float]:
    table = read_table(run / "comparison/main.contrasts.parquet", schemas.CONTRASTS)
    keep = (pl.col("condition") == condition) & (pl.col("against") == against) & (pl.col("measure") == measure)
    return table.filter(keep).row(0, named=True)


def test_steering_beats_a_random_direction(run: Path) -> None:
    difference = contrast(run, "steered", "steered (random)", "correct_change_rate")
    assert difference["difference"] > 0
    assert difference["low"] > 0


@pytest.mark.parametrize("condition", ["question+group", "question+attributes"])
def test_prompts_beat_the_question_alone(run: Path, condition: str) -> None:
    assert row_of(run, condition)["hit_rate"] > row_of(run, "question")["hit_rate"]
    assert contrast(run, condition, "question")["low"] > 0


def test_seeds_are_shared_by_conditions_and_targets(run: Path) -> None:
    generations = read_table(run / "generations/main.parquet", schemas.GENERATIONS)
    shared = generations.filter(pl.col("condition") != "question (other seed)")
    assert shared.group_by("question_id", "sample").agg(pl.col("seed").n_unique())["seed"].max() == 1
    other = generations.filter(pl.col("condition") == "question (other seed)")
    assert not set(other["seed"]) & set(shared["seed"])


def test_control_vectors_have_the_same_norm(run: Path) -> None:
    steering = read_table(run / "steering/main.parquet", schemas.STEERING)
    assert np.allclose(np.linalg.norm(matrix(steering["vector"]), axis=1), 1, atol=1e-5)
    assert {"all", "random"} <= set(steering["method"])
