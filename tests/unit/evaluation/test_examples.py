"""Texts side by side: drawn by hash alone, the best and the worst of all, and nothing that a page would run."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from sociolect.common.artifacts import vectors
from sociolect.common.seeds import stable_hash
from sociolect.evaluation.examples import attribute_moves, example_pairs, examples_page


def steered(n: int = 6) -> pl.DataFrame:
    """n steered texts of each of two groups; the k-th of all points ever nearer to its group."""
    ids = [f"{g}{i}" for g in "ab" for i in range(n)]
    rows = [
        {
            "request_id": name, "reference_id": f"{name}r", "question_id": f"q{name}", "question_group": name[0],
            "target": name[0], "condition": "steered", "changed_to_target": name in ("a1", "b2"),
            "lost_target": name in ("a5",), "direction_centred": k / 20, "nearest": "a", "reference_nearest": "b",
        }
        for k, name in enumerate(ids)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def others(frame: pl.DataFrame) -> pl.DataFrame:
    """What is not shown: another target, another condition, and a text without a direction."""
    first = frame.head(1)
    return pl.concat(
        [
            first.with_columns(request_id=pl.lit("x1"), target=pl.lit("b")),
            first.with_columns(request_id=pl.lit("x2"), condition=pl.lit("question")),
        ]
    )


def test_pairs_are_drawn_by_hash_whatever_the_order_of_the_rows() -> None:
    frame = steered()
    pairs = example_pairs(pl.concat([others(frame), frame]), 2)
    drawn = pairs.filter(kind="drawn")
    for group in "ab":
        ids = sorted(frame.filter(target=group)["request_id"], key=lambda name: stable_hash("shown", name))
        assert drawn.filter(target=group)["request_id"].to_list() == ids[:2]
    assert example_pairs(pl.concat([frame.reverse(), others(frame)]), 2).equals(pairs)


def test_best_and_worst_came_nearest_and_left() -> None:
    pairs = example_pairs(steered(), 1)
    assert pairs["kind"].to_list() == ["drawn"] * 2 + ["best"] * 2 + ["worst"] * 2
    # those that came to the group, the nearer first; last the one that left it
    assert pairs.filter(kind="best")["request_id"].to_list() == ["b2", "a1"]
    assert pairs.filter(kind="worst")["request_id"].to_list() == ["a0", "a5"]
    without = steered().with_columns(direction_centred=pl.when(pl.col("request_id") != "b2").then("direction_centred"))
    assert example_pairs(without, 1).filter(kind="best")["request_id"][0] == "a1"


def test_attributes_gained_and_lost_by_hand() -> None:
    names = ["dots", "dashes", "commas", "colons", "stars", "slashes", "quotes"]
    before = np.array([0.5, 0.5, 0.9, 0.0, 0.2, 0.1, 0.3])
    after = np.array([0.75, 0.45, 0.1, 1.0, 0.6, 0.4, 0.9])
    gained, lost = attribute_moves(before, after, names)
    # the four largest; a fall of .05 is none
    assert gained == ["colons (+1.00)", "quotes (+0.60)", "stars (+0.40)", "slashes (+0.30)"]
    assert lost == ["commas (-0.80)"]
    assert attribute_moves(after, before, names) == (["commas (+0.80)"], ["colons (-1.00)", "quotes (-0.60)",
                                                     "stars (-0.40)", "slashes (-0.30)"])  # fmt: skip
    assert attribute_moves(before, before, names) == ([], [])


def test_a_text_is_inert_in_the_page() -> None:
    frame = steered(1)
    references = frame.with_columns(request_id=pl.col("reference_id"), condition=pl.lit("question"))
    styles = np.array([[0.9, 0.0]] * 2 + [[0.1, 0.5]] * 2)
    scores = pl.concat([frame, references]).with_columns(vectors(styles, "style"))
    nasty = "a <script>alert(1)</script> | b\n\n# `c` *d* _e_ [f](g) & \\*h\\* \\| i"
    texts = dict.fromkeys(scores["request_id"], nasty) | {"b0": "  "}
    page = examples_page("Examples", scores, texts, {"qa0": "<b>why?</b>", "qb0": "how | so?"}, ["x", "y"], 1)
    assert "<" not in page and "alert(1)&lt;/script&gt;" in page
    rows = [line for line in page.splitlines() if line.startswith(("| before", "| after"))]
    # two drawn, and both of them the best and the worst
    assert len(rows) == 2 * 6
    for row in rows:
        # three cells: no text opens another
        assert len(re.findall(r"(?<!\\)\|", row)) == 4
        assert not re.search(r"(?<!\\)[`*_\[]", row)
        # a backslash of the text guards nothing and undoes no guard
        assert not re.search(r"\\\\", row)
    assert "| after | a | (empty) |" in rows and "**b**: how \\| so?" in page
    assert "Gained: x (+0.80). Lost: y (-0.50)." in page
