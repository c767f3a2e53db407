"""From a dump to a checked config, as a user calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import make

ENTRY = '  <row Id="{0}" PostTypeId="{1}" {2} OwnerUserId="{0}" Body="&lt;p&gt;{3}&lt;/p&gt;" />\n'


def dump(folder: Path, site: str, n: int) -> str:
    """A site with n questions of two answers each; its folder."""
    rows = ""
    for number in range(1, 3 * n, 3):
        rows += ENTRY.format(number, 1, f'Title="What is {number} at {site}?"', "Please say.")
        for own in (number + 1, number + 2):
            rows += ENTRY.format(
                own, 2, f'ParentId="{number}"', f"Number {own} is what it has always been to us at {site}."
            )
    (folder / f"{site}.stackexchange.com").mkdir(parents=True)
    path = folder / f"{site}.stackexchange.com/Posts.xml"
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<posts>\n{rows}</posts>\n')
    return str(path.parent.relative_to(folder.parent))


def test_from_a_dump_to_a_config_that_nothing_is_wrong_with(project: Path) -> None:
    sites = [dump(project / "dumps", site, n) for site, n in (("optics", 60), ("poetry", 45), ("tiny", 3))]
    done = make(project, "import", "FROM=stackexchange", f"IN={' '.join(sites)}")
    assert done.returncode == 0, done.stderr
    assert "wrote data/askx.parquet, data/multi.parquet, data/single.parquet" in done.stdout
    done = make(project, "new", "RUN=mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "single: 2 of 3 groups reach 45: optics, poetry",
        "multi: 2 of 3 groups reach 90: optics, poetry",
        "askx: 2 of 3 groups reach 45: optics, poetry",
        "experiments: single (fit single, ask single), askx (fit multi, ask askx)",
        "wrote config/mine.yaml",
        "checking config/mine.yaml ...",
        "nothing is wrong: config, tables, prompt files, models, disk, packages",
    ]
    again = make(project, "new", "RUN=mine")
    assert again.returncode != 0 and "config/mine.yaml: there already" in again.stderr
    odd = make(project, "new", "RUN=../mine")
    assert odd.returncode != 0 and "write a letter" in odd.stderr and "Traceback" not in odd.stderr


@pytest.mark.parametrize("base", ["scratch", "one-gpu", "config"])
def test_every_base_gives_a_config_that_nothing_is_wrong_with(project: Path, base: str) -> None:
    sites = [dump(project / "dumps", site, 30) for site in ("optics", "poetry")]
    assert make(project, "import", "FROM=stackexchange", f"IN={' '.join(sites)}", "OUT=mine").returncode == 0
    done = make(project, "new", "RUN=mine", f"BASE={base}", "DATA=mine")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_call_without_a_dump_says_how_to_call(project: Path) -> None:
    done = make(project, "import")
    assert done.returncode != 0 and "usage: import_dump.py" in done.stderr and "Traceback" not in done.stderr
