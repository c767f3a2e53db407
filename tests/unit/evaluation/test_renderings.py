"""Golden renderings of the comparison, and the line that what is no row of it stands below."""

from __future__ import annotations

import re

import polars as pl
import pytest
from scored import bootstrap, scores, texts_of

from conftest import ROOT
from sociolect.common.schemas import COMPARISON
from sociolect.evaluation.comparison import compare, rows_below, rows_of_some
from sociolect.evaluation.renderings import DAMAGE_HEADER, HEADER, pipes, to_csv, to_html, to_latex, to_markdown
from sociolect.evaluation.templates import read_page
from sociolect.generation.conditions import ROWS

GOLDEN = """\
| condition | n | absolute group change | absolute group change to the correct group | direction distance |
| --- | ---: | ---: | ---: | ---: |
| question | 1 | - | - | - |
| question+group | 1 | 1, 100.0 % [100.0, 100.0] | 1, 100.0 % [100.0, 100.0] | 0.293 [0.293, 0.293] |
| question+attributes | 0 | n/a | n/a | n/a |
| question+group+attributes | 0 | n/a | n/a | n/a |
| steered | 1 | 0, 0.0 % [0.0, 0.0] | 0, 0.0 % [0.0, 0.0] | n/a |
| steered+group | 0 | n/a | n/a | n/a |
| steered+attributes | 0 | n/a | n/a | n/a |
| steered+group+attributes | 0 | n/a | n/a | n/a |
| **below the line** |  |  |  |  |
| steered (random) | 1 | 0, 0.0 % [0.0, 0.0] | 0, 0.0 % [0.0, 0.0] | n/a |
| steered (all) | 1 | 1, 100.0 % [100.0, 100.0] | 1, 100.0 % [100.0, 100.0] | 0.293 [0.293, 0.293] |
| question (cross targets) | 1 | - | - | - |
"""
DAMAGE = (
    "| question+group | 100.0 % | 0.0 % | 100.0 % | 0.75 | 2.00 "
    "| 1.00 | 1.00 | n/a | 1.00 | 0.00 | 1.00 | 100.0 % | 0.0 % | 0 |\n"
)
PAGES = [ROOT / "workflow" / "report" / f"{name}.html.j2" for name in ("comparison", "table")]


def tiny() -> tuple[pl.DataFrame, pl.DataFrame]:
    """The eight rows, and three below the line."""
    texts = {"question": "a", "question+group": "b", "steered": "a", "steered (random)": "a", "steered (all)": "b"}
    frame = pl.concat([scores(texts), scores({"question": "a"}, target="a")])
    return compare(frame, texts_of(frame), bootstrap(frame)), rows_below(frame, texts_of(frame), bootstrap(frame))


NONE = COMPARISON.empty()


def test_markdown_is_as_agreed() -> None:
    table, below = tiny()
    text = to_markdown(table, below, "Comparison: main")
    assert text.startswith("# Comparison: main\n\n" + GOLDEN + "\n")
    assert DAMAGE in text and len(DAMAGE.split(" | ")) == len(DAMAGE_HEADER)
    # a line in each of the two tables, as wide as they are
    lines = [line for line in text.splitlines() if "below the line" in line and line.startswith("|")]
    assert [line.count("|") for line in lines] == [len(HEADER) + 1, len(DAMAGE_HEADER) + 1]
    assert "**below the line**" not in to_markdown(table, NONE, "Comparison: main")


def test_what_some_groups_cannot_have_is_a_table_of_its_own_at_the_end() -> None:
    table, below = tiny()
    both = pl.concat([scores({"question": "a", "steered": "a"}, group="a", target="a"),
                      scores({"question": "a", "steered": "b", "steered (distinctive)": "b"})])  # fmt: skip
    some = rows_of_some(both, texts_of(both), bootstrap(both))
    text = to_markdown(table, below, "x", some)
    _, _, last = text.partition("## Methods that cannot steer every group, over the groups that they can\n\n")
    assert [line.split(" | ")[:2] for line in last.splitlines()[2:]] == [
        ["| question", "1"],
        ["| steered", "1"],
        ["| steered (distinctive)", "1"],
    ]
    assert to_markdown(table, below, "x", NONE) == to_markdown(table, below, "x")
    assert "cannot steer" not in to_markdown(table, below, "x", NONE)


@pytest.mark.parametrize("some_below", [True, False])
def test_latex_is_balanced_and_escaped(some_below: bool) -> None:
    table, below = tiny()
    text = to_latex(table, below if some_below else NONE, r"50 % of a_b & c\d {e}")
    assert r"\caption{50 \% of a\_b \& c\textbackslash{}d \{e\}}" in text
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert all(len(re.findall(r"(?<!\\)&", line)) == 4 for line in rows)
    assert not re.search(r"(?<!\\)%", body)
    assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1]
    # rules: below the header, between unsteered and steered, and above what stands below the line
    names = [line.split("&")[0].strip() for line in body.rstrip().splitlines()[1:]]
    expected = ["condition", r"\midrule", *ROWS[:4], r"\midrule", *ROWS[4:]]
    below_names = [r"\midrule", "steered (random)", "steered (all)", "question (cross targets)"]
    assert names == [*expected, *(below_names if some_below else [])]


def test_html_escapes_and_draws_the_line_above_the_ninth_row() -> None:
    table, below = tiny()
    text = to_html(table, below, "<script>&", read_page(PAGES))
    assert text.count("&lt;script&gt;&amp;") == 2 and "<script>" not in text and text.startswith("<!doctype html>")
    # two tables with a header, eight rows and three below the line
    assert len(re.findall(r"<tr\b", text)) == 2 * 12
    assert re.findall(r'<tr class="line"><th scope="row">([^<]*)', text) == ["steered (random)"] * 2
    assert 'class="line"' not in to_html(table, NONE, "x", read_page(PAGES))


def test_csv_has_all_columns_and_empty_nulls() -> None:
    lines = to_csv(tiny()[0]).splitlines()
    assert lines[0].split(",") == list(COMPARISON.columns) and len(lines) == 9
    assert lines[1].startswith("question,1,,,,")


def test_a_bar_in_a_cell_is_no_bar_of_the_table() -> None:
    assert pipes(("a|b", "c"), [["|", "1"]]) == "| a\\|b | c |\n| --- | ---: |\n| \\| | 1 |"
