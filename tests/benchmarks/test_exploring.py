"""The made-up run of the benchmark is a page that opens and can be used."""

from __future__ import annotations

import shutil
from pathlib import Path

import exploring
from conftest import skip_here
from sociolect.evaluation.templates import read_page
from sociolect.explorer.data import experiment_data
from sociolect.explorer.explorer_page import explorer_page


def test_a_page_of_so_many_generations_is_opened_and_timed(tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        skip_here("no chromium: apt-get install chromium")
    tables, catalogue = exploring.made_up(600, 10)
    data = experiment_data(tables, catalogue)
    # whole questions: 16 conditions of 3 draws
    assert len(data["rows"]["text"]) == 624 and len(data["cases"]) == 13
    page = explorer_page(read_page(exploring.TEMPLATES), "x", catalogue["attribute"].to_list(), [data], 0.95)
    times = exploring.measured(tmp_path, page, 1)
    assert set(times) == {"opened", "step", "search", "group"} and all(0 < t < 60 for [t] in times.values())
