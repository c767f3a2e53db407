"""The student on the demo: as faithful as it must be, gated, and never stale."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from test_reruns import rerun_reasons, with_key

from conftest import demo_in, snakemake
from sociolect.common.artifacts import matrix, read_table
from sociolect.common.schemas import FIDELITY, LABELS, SAMPLES
from sociolect.sfam.distilling import mean_pearson

FIDELITY_TABLE = "results/demo/sfam/fidelity.parquet"


@pytest.fixture(scope="module")
def taught(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the finished demo, in which a student was distilled, too."""
    folder = demo_in(demo, tmp_path_factory.mktemp("student") / "project")
    done = snakemake(folder, "--", FIDELITY_TABLE)
    ran = set(line.split()[-1].rstrip(":") for line in done.stderr.splitlines() if line.startswith("localrule "))
    wanted = {"draw_distillation", "label_answers", "gather_labels", "distil_student", "measure_fidelity"}
    assert ran == wanted, "the demo itself is left as it is"
    return folder


def test_the_student_follows_its_teacher_and_knows_the_groups_as_well(taught: Path) -> None:
    table = read_table(taught / FIDELITY_TABLE, FIDELITY)
    summary = json.loads((taught / "results/demo/sfam/fidelity.json").read_text())
    assert table["pearson"].mean() == pytest.approx(summary["mean_pearson"]) and summary["mean_pearson"] >= 0.90
    assert abs(summary["group_accuracy_teacher"] - summary["group_accuracy_student"]) <= 0.02
    assert summary["group_accuracy_teacher"] > 0.85


def test_it_labels_answers_that_it_never_saw(taught: Path) -> None:
    by_teacher = read_table(taught / "results/demo/labels/askx.parquet", LABELS)
    config = with_key(taught, "labeling.scorer", "distilled")
    snakemake(taught, "--configfile", config, "--", "results/demo/labels/askx.parquet")
    by_student = read_table(taught / "results/demo/labels/askx.parquet", LABELS)
    assert by_student["answer_id"].equals(by_teacher["answer_id"])
    test = (
        by_teacher.join(read_table(taught / "results/demo/samples/askx.parquet", SAMPLES), on="answer_id")["part"]
        == "test"
    )
    a, b = (matrix(frame.filter(test)["style"]) for frame in (by_teacher, by_student))
    assert not np.array_equal(a, b) and mean_pearson(a, b) >= 0.90


def test_a_new_minimum_relabels_nothing_and_one_that_is_missed_ends_the_run(taught: Path) -> None:
    scorer = with_key(taught, "labeling.scorer", "distilled")
    text = (taught / scorer).read_text().replace("distillation:", "distillation:\n  min_pearson: 0.85")
    (taught / scorer).write_text(text)
    reasons = rerun_reasons(taught, "--configfile", scorer, "--", "results/demo/labels/askx.parquet")
    assert set().union(*reasons.values()) <= {"measure_fidelity"}
    (taught / scorer).write_text(text.replace("0.85", "0.999"))
    done = snakemake(taught, "--configfile", scorer, "--", "results/demo/labels/single.parquet", check=False)
    assert done.returncode
    last = (taught / "results/demo/logs/measure_fidelity.log").read_text().strip().splitlines()[-1]
    assert last.startswith("error: the student has a mean Pearson correlation with SFAM of 0.9")
    assert "below distillation.min_pearson 0.999" in last and "raise distillation.n_answers" in last


def test_another_sfam_or_catalogue_makes_another_student(taught: Path) -> None:
    for key, value in (("sfam.learning_rate", 0.003), ("catalogue.max_share", 0.5)):
        reasons = rerun_reasons(taught, "--configfile", with_key(taught, key, value), "--", FIDELITY_TABLE)
        assert {"label_answers", "distil_student"} <= set().union(*reasons.values()), key


def test_the_part_of_test_is_held_out(taught: Path) -> None:
    drawn = pl.read_parquet(taught / "results/demo/sfam/distillation.parquet")
    samples = [
        read_table(taught / f"results/demo/samples/{split}.parquet", SAMPLES).select(
            "answer_id", split=pl.lit(split), sampled="part"
        )
        for split in ("single", "multi", "askx")
    ]
    parts = drawn.join(pl.concat(samples), on=["answer_id", "split"])
    assert parts.height == drawn.height and (parts["part"] == parts["sampled"]).all()
    assert set(drawn["part"]) == {"train", "val", "test"}
