"""Templates: what they import is found by name, and a broken one is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sociolect.common.errors import InputError
from sociolect.evaluation.templates import HtmlTable, read_page


def test_a_page_finds_what_it_imports_and_escapes(tmp_path: Path) -> None:
    (tmp_path / "page.j2").write_text('{% from "part.j2" import cell %}\n<p>{{ cell(table.rows[0][0]) }}</p>\n')
    (tmp_path / "part.j2").write_text("{% macro cell(text) %}<b>{{ text }}</b>{% endmacro %}\n")
    page = read_page([tmp_path / "page.j2", tmp_path / "part.j2"])
    assert page.render(table=HtmlTable(["x"], [["<&"]])) == "<p><b>&lt;&amp;</b></p>\n"


def test_what_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--template: .*absent\.j2"):
        read_page([tmp_path / "absent.j2"])
    with pytest.raises(InputError, match="give the page first"):
        read_page([])
    (tmp_path / "page.j2").write_text('{% from "part.j2" import cell %}\n')
    with pytest.raises(InputError, match=r"page\.j2 imports part\.j2; give its file, too"):
        read_page([tmp_path / "page.j2"])
    (tmp_path / "broken.j2").write_text("<p>\n{% if %}\n")
    with pytest.raises(InputError, match=r"broken\.j2, line 2"):
        read_page([tmp_path / "broken.j2"])
