"""The embedding study: what a cell tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import tagged_by_hand
from made_tables import planted
from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import STUDY_ANSWERS
from sociolect.settings.embedding import EmbeddingSettings
from sociolect.settings.study import REFERENCE, StudyCell, StudySettings, cells_of, embedding_cells
from sociolect.study.embedding_cell import run_cell
from sociolect.study.study_findings import study_findings
from sociolect.study.study_table import study_table

CHEAP = EmbeddingSettings(max_epochs=4, widths=(16,), dimensions=(4,), batch_sizes=(32,), learning_rate=(1e-2, 1e-2))
STUDY_OF_TWO = StudySettings(n_trials=2, n_seeds=2, resamples=200)
PARENTS = {"art": "letters", "law": "letters", "med": "science"}


def cell(tmp_path: Path, name: str = REFERENCE, frame: pl.DataFrame | None = None, **change: object) -> pl.DataFrame:
    chosen = embedding_cells()[name].model_copy(update=change)
    table = planted(240, shift=0.25) if frame is None else frame
    return run_cell(table, chosen, CHEAP, STUDY_OF_TWO, PARENTS, 0.5, tmp_path / f"{name}.journal", 1)


def test_every_cell_of_the_grid_is_a_valid_embedding_and_compared_with_another_of_it() -> None:
    cells = embedding_cells()
    on_angles = {"loss": "proxy_anchor", "distances": ["cosine"]}
    bases: tuple[dict[str, Any], ...] = ({}, {"distances": ["euclidean", "cosine"]}, on_angles, {"map": "lda"})
    configured = [EmbeddingSettings.model_validate(base).model_dump() for base in bases]
    for name, one in cells.items():
        made = {EmbeddingSettings.model_validate({**base, **one.embedding}).map for base in configured}
        # what is asked of nets is asked of nets, whatever is configured
        assert one.axis in ("reference", "rule", "size", "level", "ceiling") or made == {"net"}
        assert (one.against is None) == (name == REFERENCE) and one.against in {None, *cells}
    assert cells["distance-euclidean"].embedding["loss"] == EmbeddingSettings().loss
    assert cells_of(("margin",), False, False) == [REFERENCE, *(name for name in cells if name.startswith("margin"))]
    # with what they are compared with
    assert cells_of(("pool",), False, False) == [
        REFERENCE, "loss-cross_entropy", "loss-triplet", "pool-disjoint-cross_entropy", "pool-disjoint-triplet",
    ]  # fmt: skip
    assert "level-parents" in cells_of(("level",), True, False) and "level-parents" not in cells_of(
        ("level",), False, False
    )


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
    # what was trained on parents is asked for them alone
    above = cell(tmp_path, "level-parents")
    assert set(above["group"]) == {"letters", "science"} and set(above["level"]) == {"parent"}


LEVELS = ("leaf", "parent")


@pytest.mark.parametrize("parents", [{"other": "x"}, dict.fromkeys(("art", "law", "med"), "one")])
def test_parents_that_are_none_of_these_groups_ask_nothing(tmp_path: Path, parents: dict[str, str]) -> None:
    cells = {name: embedding_cells()[name] for name in (REFERENCE, "level-parents")}
    answers = {
        name: run_cell(planted(240, 0.25), one, CHEAP, STUDY_OF_TWO, parents, 0.5, tmp_path / f"{name}.journal", 1)
        for name, one in cells.items()
    }
    assert answers["level-parents"].height == 0
    table = study_table(answers, cells, STUDY_OF_TWO, 1)
    assert set(table["level"]) == {"leaf"} and "Leaves" not in "".join(study_findings(table, StudySettings().axes))


@pytest.mark.parametrize("name", ["rule-lda", "ceiling-style-logistic", "size-0.25-logistic"])
def test_what_draws_nothing_is_one_net(tmp_path: Path, name: str) -> None:
    table = cell(tmp_path, name)
    assert table["seed"].unique().to_list() == [0]
    leaf = table.filter(pl.col("level") == "leaf", pl.col("center") == table["center"][0])
    assert leaf["pairs"].mean() > 0.85  # type: ignore[operator]


@pytest.mark.parametrize("name", ["ceiling-style-logistic", "rule-lda"])
def test_permuted_train_groups_tell_nothing(tmp_path: Path, name: str) -> None:
    found = []
    for seed in range(6):
        frame = planted(480, shift=0.1)
        train = frame.filter(pl.col("part") == "train").with_columns(pl.col("group").shuffle(seed=seed))
        table = cell(tmp_path, name, pl.concat([train, frame.filter(pl.col("part") != "train")]))
        own = table.filter(pl.col("part") == "test", pl.col("level") == "leaf", pl.col("center") == table["center"][0])
        found.append(float(own["pairs"].to_numpy().mean()))
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_all_style_needs_tagged_answers(tmp_path: Path) -> None:
    assert "ceiling-all-style-logistic" in cells_of(("ceiling",), False, True)
    assert "ceiling-all-style-logistic" not in cells_of(("ceiling",), False, False)
    with pytest.raises(InputError, match="all style needs tagged answers"):
        cell(tmp_path, "ceiling-all-style-logistic")
    # tags alone tell these groups: one writes of things, one does them, one says how
    words = {"art": ("table", "NOUN", "NN"), "law": ("runs", "VERB", "VBZ"), "med": ("well", "ADV", "RB")}
    frame = planted(120).with_columns(answer=pl.lit("a b c"))
    tagged = tagged_by_hand.tagged(
        [
            ["\n".join([" ".join((*words[g], "ROOT", "0"))] + [" ".join((*words[g], "dep", "1"))] * 2)]
            for g in frame["group"]
        ]
    )
    one = embedding_cells()["ceiling-all-style-logistic"]
    found = run_cell(frame, one, CHEAP, STUDY_OF_TWO, {}, 0.5, tmp_path / "none", 1, tagged=tagged)
    assert (found["pairs"] == 1.0).all() and found.height == frame.filter(pl.col("part") != "train").height


def test_cell_axis_of_the_config_is_checked() -> None:
    with pytest.raises(ValueError, match="axes"):
        StudySettings.model_validate({"axes": ["size", "weather"]})
    assert StudyCell(axis="loss", shown="x").against == REFERENCE
