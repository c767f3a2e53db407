"""Generated files must not drift."""

from __future__ import annotations

from conftest import ROOT
from sociolect.settings.documents import generated_files


def test_generated_files_are_up_to_date() -> None:
    stale = [p.name for p, text in generated_files(ROOT).items() if p.read_text(encoding="utf-8") != text]
    assert not stale, "run `make schema`"
