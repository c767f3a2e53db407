"""The study of attribute vectors: what each cell changes, and the table and page by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import polars as pl
import pytest
from pydantic import ValidationError

from sociolect.common.artifacts import check_table
from sociolect.common.schemas import VECTOR_STUDY, VECTOR_TRIES
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.settings.base import Stage
from sociolect.settings.steering import ActivationSettings, Position, SteeringSettings
from sociolect.settings.study import (
    REFERENCE,
    StudySettings,
    VectorAxis,
    VectorCell,
    VectorJob,
    vector_cells,
    vector_cells_of,
)
from sociolect.study.vector_table import vector_page, vector_table

CELLS = vector_cells()
AXES = get_args(VectorAxis)
SECTIONS = ("activations", "steering", "sweep")

# the grid


def job(**sections: Any) -> VectorJob:
    empty: dict[str, Any] = {name: {} for name in VectorJob.model_fields}
    return VectorJob.model_validate({**empty, **sections})


def keys(settings: VectorJob) -> dict[tuple[str, str], Any]:
    return {(section, key): value for section, part in settings.model_dump().items() for key, value in part.items()}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_changes_just_what_it_says(name: str) -> None:
    cell = CELLS[name]
    # other values than any cell has, and others than the defaults elsewhere
    base = job(
        activations={"samples": 7, "neutral": "x"},
        steering={"n_eff": 3.0, "named": 2},
        sweep={"alphas": (0.5,), "positions": ("last", "all"), "band": None},
        generation={"max_new_tokens": 9},
        labeling={"scorer": "measured"},
    )
    said = {(section, key): value for section in SECTIONS for key, value in getattr(cell, section).items()}
    before, after = keys(base), keys(cell.applied(base))
    assert said.keys() <= before.keys() and len(said) == (name not in (REFERENCE, "set-distinctive"))
    expected = {k: tuple(value) if isinstance(value, list) else value for k, value in said.items()}
    assert after == before | expected
    # of itself it says what it is
    assert cell.shown in {str(value) for value in said.values()} or cell.axis in (REFERENCE, "set", "positions")


def test_a_cell_of_what_is_configured_is_the_reference() -> None:
    def same(base: VectorJob) -> list[tuple[str, str]]:
        return [(c.axis, c.shown) for c in CELLS.values() if c.applied(base) == base and c.method == "all"]

    reference = (REFERENCE, "as configured")
    alike = [("statistic", "style"), ("source", "forward"), ("contrast", "centred"), ("token", "last")]
    assert same(job()) == [
        reference, ("weights", "centred"), ("number", "8"), *alike, ("role", "system"), ("positions", "last"),
    ]  # fmt: skip
    other = job(steering={"n_eff": 2.0, "transform": "z"}, activations={"role": "raw"}, sweep={"positions": "all"})
    assert same(other) == [reference, ("weights", "z"), ("number", "2"), *alike, ("role", "raw"), ("positions", "all")]
    assert Counter(cell.method for cell in CELLS.values()) == {"all": len(CELLS) - 1, "distinctive": 1}


def test_an_axis_has_all_that_can_be_chosen() -> None:
    keys_of: tuple[tuple[str, type[Stage], str], ...] = (
        ("weights", SteeringSettings, "transform"),
        ("statistic", SteeringSettings, "statistic"),
        ("source", ActivationSettings, "source"),
        ("contrast", ActivationSettings, "contrast"),
        ("token", ActivationSettings, "token"),
        ("role", ActivationSettings, "role"),
    )
    for axis, settings, key in keys_of:
        choices = get_args(settings.model_fields[key].annotation)
        assert {cell.shown for cell in CELLS.values() if cell.axis == axis} == set(choices), axis
    assert {cell.shown for cell in CELLS.values() if cell.axis == "positions"} == set(get_args(Position))


def test_a_key_or_a_value_that_does_not_exist_is_an_error() -> None:
    changes: tuple[dict[str, Any], ...] = ({"activations": {"tokn": "last"}}, {"sweep": {"positions": ["first"]}})
    for change in changes:
        with pytest.raises(ValidationError):
            VectorCell(axis="token", shown="x", **change).applied(job())


def test_axes_that_are_asked_for_after_the_reference() -> None:
    assert list(vector_cells_of(("token",), job())) == [REFERENCE, "token-last", "token-mean"]
    # in the order of the grid, however they are asked for
    assert list(vector_cells_of(("token", "set"), job())) == [REFERENCE, "set-distinctive", "token-last", "token-mean"]
    assert StudySettings().vector_axes == AXES and list(vector_cells_of(AXES, job())) == list(CELLS)
    assert {cell.axis for cell in CELLS.values()} == {REFERENCE, *AXES}


def test_what_is_configured_is_run_once() -> None:
    same = {CELLS[name].shown for name, run in vector_cells_of(AXES, job()).items() if run == REFERENCE}
    assert same == {"as configured", "centred", "8", "style", "forward", "last", "system"}
    assert Counter(vector_cells_of(AXES, job()).values())[REFERENCE] == 9
    other = vector_cells_of(
        ("number", "positions"), job(steering={"n_eff": 16.0}, sweep={"positions": ["last", "all"]})
    )
    assert {name for name, run in other.items() if run != name} == {"number-16"}
    assert other["positions-last"] == "positions-last"


# the table

ASKED = [("q1", "a", "a"), ("q1", "a", "b"), ("q2", "b", "b"), ("q2", "b", "a")]
BASE = (0.5, 0.0, 1.0, 0.75)
TOPICS = (1.0, 0.0, 1.0, -0.5)


def tries(
    cell: str, gains: tuple[float, ...], asked: Any = ASKED, setting: str = "block 1, 0.4", change: float = 0.25
) -> pl.DataFrame:
    rows = [(cell, setting, *who, gain, topic, change) for who, gain, topic in zip(asked, gains, TOPICS, strict=False)]
    return VECTOR_TRIES.frame(rows)


def rows_of(found: dict[str, pl.DataFrame]) -> dict[str, dict[str, Any]]:
    bootstrap = ClusterBootstrap(["q1", "q2"], 400, 1)
    table = check_table(vector_table(found, CELLS, bootstrap), VECTOR_STUDY, "study")
    assert table["cell"].to_list() == list(found)
    return {row["cell"]: row for row in table.iter_rows(named=True)}


def test_gains_and_paired_differences_by_hand() -> None:
    found = rows_of(
        {
            REFERENCE: tries(REFERENCE, BASE),
            "number-1": tries("number-1", (1.0, 0.5, 1.0, 1.0), setting="block 1-2, 0.8"),
            # a quarter more everywhere
            "token-mean": tries("token-mean", (0.75, 0.25, 1.25, 1.0)),
            # a alone can be steered towards
            "set-distinctive": tries("set-distinctive", (1.0, 0.0), [ASKED[0], ASKED[3]]),
        }
    )
    names = ("n", "gain", "gain_own", "gain_cross", "topic", "difference")
    figures = {cell: tuple(row[name] for name in names) for cell, row in found.items()}
    # the topic is that of other targets
    assert figures[REFERENCE] == (4, 0.5625, 0.75, 0.375, -0.25, 0.0)
    assert figures["number-1"] == (4, 0.875, 1.0, 0.75, -0.25, 0.3125)
    # .5 more of q1, .75 less of q2: against the same answers of the reference
    assert figures["set-distinctive"] == (2, 0.5, 1.0, 0.0, 0.0, -0.125)
    one = found["number-1"]
    assert (one["axis"], one["shown"], one["setting"]) == ("number", "1", "block 1-2, 0.8")
    # the means of the questions are .75 and 1: those are the ends of what two questions can be resampled to
    assert (one["gain_low"], one["gain_high"]) == (0.75, 1.0)
    mean = found["token-mean"]
    assert (mean["gain_low"], mean["gain_high"]) == (0.5, 1.125)
    assert (mean["difference_low"], mean["difference"], mean["difference_high"]) == (0.25, 0.25, 0.25)


def test_a_cell_that_does_not_steer_gains_nothing() -> None:
    # a quarter for any setting of the reference is what it lacks
    flat = {
        REFERENCE: tries(REFERENCE, (0.25,) * 4),
        "role-raw": tries("role-raw", (0.0,) * 4, ASKED, "not to steer", 0),
    }
    row = rows_of(flat)["role-raw"]
    assert [row[name] for name in ("gain", "gain_low", "gain_high", "gain_own", "gain_cross")] == [0.0] * 5
    assert [row[name] for name in ("difference", "difference_low", "difference_high")] == [-0.25] * 3
    bootstrap = ClusterBootstrap(["q1", "q2"], 400, 1)
    page = vector_page("t", vector_table(flat, CELLS, bootstrap))
    line = next(line for line in page.splitlines() if line.startswith("| raw |"))
    assert line.startswith("| raw | 4 | not to steer | +0.0 [+0.0, +0.0] | +0.0 | +0.0 |")
    assert line.endswith("| +0.00 | -25.0 [-25.0, -25.0] |")


def test_pairs_go_by_question_group_and_target_not_by_their_order() -> None:
    cell, reference = tries("number-1", (1.0, 0.5, 1.0, 1.0)), tries(REFERENCE, BASE)
    straight = rows_of({REFERENCE: reference, "number-1": cell})
    turned = rows_of({REFERENCE: reference[[2, 0, 3, 1]], "number-1": cell.reverse()})
    assert turned == straight
    # the same question may be put to two groups
    asked = [("q1", "a", "a"), ("q1", "b", "a")]
    found = rows_of(
        {REFERENCE: tries(REFERENCE, (0.25, 1.0), asked), "number-1": tries("number-1", (0.75,), asked[:1])}
    )
    assert found["number-1"]["difference"] == 0.5


def test_the_page_has_a_table_for_each_axis_with_its_cells() -> None:
    own = [who for who in ASKED if who[1] == who[2]]
    found = {name: tries(name, (0.5, 1.0), own) for name in CELLS}
    bootstrap = ClusterBootstrap(["q1", "q2"], 50, 1)
    table = vector_table(found, CELLS, bootstrap)
    page = vector_page("Attribute vectors: main", table)
    assert page.startswith("# Attribute vectors: main\n\n")
    assert "As configured: block 1, 0.4, gain +75.0 [+50.0, +100.0] (2 answers)." in page
    sections = page.split("\n## ")[1:]
    shown = [[line.split(" | ")[0].removeprefix("| ") for line in s.splitlines()[4:]] for s in sections]
    assert shown == [[cell.shown for cell in CELLS.values() if cell.axis == axis] for axis in AXES]
    # without other targets nothing is known of them
    assert "| last | 2 | block 1, 0.4 | +75.0 [+50.0, +100.0] | +75.0 | n/a | n/a | +0.25 |" in page
    # axes that were not asked for are not there
    few = vector_page("x", table.filter(pl.col("axis").is_in([REFERENCE, "token"])))
    assert few.count("\n## ") == 1 and "last token of the attribute" in few
