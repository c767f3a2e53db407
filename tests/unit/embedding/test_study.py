"""The embedding study: what a cell tells, and what its table says, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from made_tables import planted
from sociolect.common.artifacts import check_table
from sociolect.common.schemas import STUDY, STUDY_ANSWERS
from sociolect.embedding.study import run_cell
from sociolect.embedding.study_findings import study_findings, study_page
from sociolect.embedding.study_table import study_table
from sociolect.settings.embedding import EmbeddingSettings
from sociolect.settings.study import REFERENCE, StudyCell, StudySettings, cells_of, embedding_cells

CHEAP = EmbeddingSettings(max_epochs=4, widths=(16,), dimensions=(4,), batch_sizes=(32,), learning_rate=(1e-2, 1e-2))
STUDY_OF_TWO = StudySettings(n_trials=2, n_seeds=2, resamples=200)
PARENTS = {"art": "letters", "law": "letters", "med": "science"}


def cell(tmp_path: Path, name: str = REFERENCE, frame: pl.DataFrame | None = None, **change: object) -> pl.DataFrame:
    chosen = embedding_cells()[name].model_copy(update=change)
    table = planted(240, shift=0.25) if frame is None else frame
    return run_cell(table, chosen, CHEAP, STUDY_OF_TWO, PARENTS, 0.5, tmp_path / f"{name}.journal", 1)


def told(pairs: list[tuple[str, str, str, float]], center: str = "mean_embedding", seed: int = 0) -> pl.DataFrame:
    """Test answers from (answer, question, group, share of pairs)."""
    return STUDY_ANSWERS.frame(
        [(a, q, "test", g, g if p == 1 else "other", p, center, "leaf", seed) for a, q, g, p in pairs]
    )


def test_every_cell_of_the_grid_is_a_valid_embedding_and_compared_with_another_of_it() -> None:
    cells = embedding_cells()
    for name, one in cells.items():
        EmbeddingSettings.model_validate({**EmbeddingSettings().model_dump(), **one.embedding})
        assert (one.against is None) == (name == REFERENCE) and one.against in {None, *cells}
    assert cells_of(("margin",), False) == [REFERENCE, *(name for name in cells if name.startswith("margin"))]
    assert "level-parents" in cells_of(("level",), True) and "level-parents" not in cells_of(("level",), False)


def test_a_cell_tells_every_val_and_test_answer_by_every_seed_center_and_level(tmp_path: Path) -> None:
    table = check_table(cell(tmp_path), STUDY_ANSWERS, "cell")
    frame = planted(240, shift=0.25)
    asked = frame.filter(pl.col("part") != "train").height
    counts = table.group_by("center", "level", "seed").len()
    assert set(counts["len"]) == {asked}
    leaf, parent = ({tuple(r) for r in table.filter(pl.col("level") == x)["center", "seed"].rows()} for x in LEVELS)
    assert len(leaf) == 5 * 2 and parent == {("mean_embedding", 0), ("mean_embedding", 1)}
    assert table["center"][0] == "mean_embedding", "the one that the map is made for comes first"
    sure = table.filter(pl.col("nearest") == pl.col("group"))
    assert (sure["pairs"] == 1.0).all() and sure.height > 0.8 * table.height
    # trained on parents it is asked for parents, and only for them where they are the groups
    above = cell(tmp_path, "level-parents")
    assert set(above["group"]) == {"letters", "science"}


LEVELS = ("leaf", "parent")


@pytest.mark.parametrize("name", ["rule-lda", "ceiling-style-logistic", "size-0.25-logistic"])
def test_what_draws_nothing_is_one_net(tmp_path: Path, name: str) -> None:
    table = cell(tmp_path, name)
    assert table["seed"].unique().to_list() == [0]
    leaf = table.filter(pl.col("level") == "leaf", pl.col("center") == table["center"][0])
    assert leaf["pairs"].mean() > 0.85  # type: ignore[operator]


@pytest.mark.parametrize("name", ["ceiling-style-logistic", "ceiling-style-lda"])
def test_permuted_train_groups_tell_nothing(tmp_path: Path, name: str) -> None:
    found = []
    for seed in range(6):
        frame = planted(480, shift=0.1)
        train = frame.filter(pl.col("part") == "train").with_columns(pl.col("group").shuffle(seed=seed))
        table = cell(tmp_path, name, pl.concat([train, frame.filter(pl.col("part") != "train")]))
        own = table.filter(pl.col("part") == "test", pl.col("level") == "leaf", pl.col("center") == table["center"][0])
        found.append(own["pairs"].mean())
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_table_by_hand() -> None:
    # groups g (three answers) and h (one): the mean over groups of shares, whatever their sizes
    one = told([("1", "q", "g", 1.0), ("2", "q", "g", 0.0), ("3", "r", "g", 0.5), ("4", "s", "h", 1.0)])
    # another net of the same cell
    two = told([("1", "q", "g", 1.0), ("2", "q", "g", 1.0), ("3", "r", "g", 1.0), ("4", "s", "h", 0.0)], seed=1)
    worse = told([("1", "q", "g", 0.0), ("2", "q", "g", 0.0), ("3", "r", "g", 0.0), ("4", "s", "h", 0.5)])
    cells = {REFERENCE: embedding_cells()[REFERENCE], "loss-triplet": embedding_cells()["loss-triplet"]}
    table = study_table({REFERENCE: pl.concat([one, two]), "loss-triplet": worse}, cells, StudySettings(), 1)
    check_table(table, STUDY, "study")
    first, second = table.to_dicts()
    # one: (1.5 / 3 + 1) / 2 = .75; two: (1 + 0) / 2 = .5
    assert first["pairwise"] == pytest.approx(0.625) and first["difference"] is None
    assert first["spread"] == pytest.approx(np.std([0.75, 0.5], ddof=1))
    # right at once: (1 / 3 + 1) / 2 and (1 + 0) / 2
    assert first["macro"] == pytest.approx((4 / 6 + 0.5) / 2)
    assert second["pairwise"] == pytest.approx(0.25) and second["difference"] == pytest.approx(0.25 - 0.625)
    assert (first["n"], first["seeds"], second["seeds"], second["spread"]) == (4, 2, 1, None)


def test_differences_are_paired_and_said_in_words() -> None:
    rng = np.random.default_rng(0)
    base = [(str(i), f"q{i // 2}", "gh"[i % 2], float(rng.integers(0, 2))) for i in range(200)]
    # every answer a little better: far smaller than the interval of either, but the same everywhere
    better = [(a, q, g, p + 0.01) for a, q, g, p in base]
    cells = embedding_cells()
    test = {REFERENCE: told(base), "loss-triplet": told(better, "median"), "pool-mixed-triplet": told(base)}
    # val says the same
    answers = {name: pl.concat([rows, rows.with_columns(part=pl.lit("val"))]) for name, rows in test.items()}
    table = study_table(answers, cells, StudySettings(resamples=300), 1)
    row = table.filter(pl.col("cell") == "loss-triplet", pl.col("part") == "test").row(0, named=True)
    assert row["high"] - row["low"] > 0.1
    assert row["difference_low"] == pytest.approx(0.01) and row["difference_high"] == pytest.approx(0.01)
    said = study_findings(table)
    assert any("triplet: " in line and line.endswith(": better.") for line in said["Which loss?"])
    assert said["Which loss?"][-1].startswith("Val chooses triplet (")
    pool = next(lines for question, lines in said.items() if "pool" in question)
    assert pool[0].endswith("no difference is shown.")
    page = study_page(table, "sites", StudySettings(resamples=300))
    assert "of 200 test answers" in page and page.count("| loss | triplet |") == 1
    again = study_table(dict(reversed(answers.items())), cells, StudySettings(resamples=300), 1)
    assert again.sort("cell", "part").equals(table.sort("cell", "part")), "the order of the cells changes no figure"


def test_cell_axis_of_the_config_is_checked() -> None:
    with pytest.raises(ValueError, match="axes"):
        StudySettings.model_validate({"axes": ["size", "weather"]})
    assert StudyCell(axis="loss", shown="x").against == REFERENCE
