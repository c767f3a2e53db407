"""Golden renderings of the comparison."""

from __future__ import annotations

import re

import polars as pl
from scored import bootstrap, scores

from conftest import ROOT
from sociolect.common.schemas import COMPARISON
from sociolect.evaluation.comparison import compare
from sociolect.evaluation.renderings import to_csv, to_html, to_latex, to_markdown
from sociolect.evaluation.templates import read_page

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
"""


def tiny() -> pl.DataFrame:
    frame = scores({"question": "a", "question+group": "b", "steered": "a"})
    return compare(frame, bootstrap(frame))


def test_markdown_is_as_agreed() -> None:
    text = to_markdown(tiny(), "Comparison: main")
    assert text.startswith("# Comparison: main\n\n" + GOLDEN)
    damage = "| question+group | 100.0 % | 100.0 % | 2.00 | 1.00 | 1.00 | n/a | 0.00 | 1.00 | 100.0 % | 0.0 % | 0 |"
    assert damage in text


def test_latex_is_balanced_and_escaped() -> None:
    text = to_latex(tiny(), r"50 % of a_b & c\d {e}")
    assert r"\caption{50 \% of a\_b \& c\textbackslash{}d \{e\}}" in text
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 9 and all(len(re.findall(r"(?<!\\)&", line)) == 4 for line in rows)
    assert not re.search(r"(?<!\\)%", body)
    assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1]
    assert body.count(r"\midrule") == 2  # below the header and between unsteered and steered


def test_html_escapes() -> None:
    pages = ROOT / "workflow" / "report"
    text = to_html(tiny(), "<script>&", read_page([pages / "comparison.html.j2", pages / "table.html.j2"]))
    assert text.count("&lt;script&gt;&amp;") == 2 and "<script>" not in text
    assert text.count("<tr>") == 2 * 9 and text.startswith("<!doctype html>")


def test_csv_has_all_columns_and_empty_nulls() -> None:
    lines = to_csv(tiny()).splitlines()
    assert lines[0].split(",") == list(COMPARISON.columns) and len(lines) == 9
    assert lines[1].startswith("question,1,,,,")
