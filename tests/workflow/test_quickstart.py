"""A stranger's path: docs/quickstart.md to the letter, in a fresh checkout, and what it prints as the page has it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from conftest import ROOT, skip_here
from documented import Step, documented_steps, unlike
from written_dumps import write_sites

PAGE = ROOT / "docs/quickstart.md"
# posts of three sites, which may not be passed on with the project
REAL = ROOT.parent / "shared/data/askx_se.parquet"
SITES = {"beer": "alcohol", "math_educators": "matheducators", "quantum_computing": "quantumcomputing"}
# before anything is trained
CHEAP = ("make import", "make new", "make check")


def follow(step: Step, project: Path) -> subprocess.CompletedProcess[str]:
    """Type a command of the page, in the environment of the tests, which is not made anew."""
    if not (project / ".venv").exists():
        (project / ".venv").symlink_to(sys.prefix)
    return subprocess.run(
        ["bash", "-c", step.command],
        cwd=project,
        env={**os.environ, "MAKEFLAGS": "STAMP="},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def made_up(folder: Path) -> None:
    """Three sites whose groups come in the page's order, and whose numbers take its room in a table.

    Of questions with one, two and three answers so many dozens.
    """
    rows = []
    for site, counts in (("alcohol", (60, 16, 8)), ("matheducators", (2, 10, 24)), ("quantumcomputing", (26, 6, 10))):
        # each kind comes early: the first of it is named in the funnel
        questions = [1, 2, *(several for several, dozens in enumerate(counts, start=1) for _ in range(12 * dozens - 1))]
        for asked, several in enumerate(questions):
            for place in range(several):
                author = None if asked == 5 else f"{site} {asked} {place}"
                text = f"Number {asked} of {place} is what it has always been to all of us here at {site}."
                rows.append((f"{site}{asked}", f"What is {asked}?", f"{site}{asked}-{place}", text, author, site))
    columns = ["question_id", "question", "answer_id", "answer", "author", "group"]
    write_sites(pl.DataFrame(rows, schema=columns, orient="row"), folder)


def test_the_first_commands_on_a_made_up_dump_print_what_the_page_says_but_for_numbers(project: Path) -> None:
    made_up(project / "dumps")
    steps = [step for step in documented_steps(PAGE) if step.command.startswith(CHEAP)]
    assert [step.command.split()[1] for step in steps] == ["import", "new", "check"]
    for step in steps:
        done = follow(step, project)
        assert done.returncode == 0, done.stderr
        assert unlike(step, done.stdout, varies=True) == ""


@pytest.mark.long
def test_the_whole_path_on_real_posts_prints_what_the_page_says(project: Path) -> None:
    if not REAL.is_file():
        skip_here(f"there is no {REAL}: real posts, which are no part of the project")
    posts = pl.read_parquet(REAL).filter(pl.col("group").is_in(list(SITES)))
    write_sites(posts.with_columns(pl.col("group").replace(SITES)), project / "dumps")
    began, faults = time.monotonic(), []
    for step in documented_steps(PAGE):
        since = time.monotonic()
        done = follow(step, project)
        print(f"{time.monotonic() - since:.0f} s: {step.command}\n{done.stdout}", flush=True)
        assert done.returncode == 0, done.stderr[-6000:]
        faults.append(unlike(step, done.stdout))
    assert time.monotonic() - began < 3600
    # all of them at once: the path is long
    assert [fault for fault in faults if fault] == []


def test_what_is_not_as_the_page_says_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ a\n3 of 4\n...\nend\n\n$ b\n```\n```sh\n$ no\n```\n"
        "```console numbers-vary\n$ c\nx | 3.1 [2, 4] | 7 s\n```\n"
    )
    first, second, third = documented_steps(page)
    assert (first.command, first.output, second, third.varies) == (
        "a",
        ("3 of 4", "...", "end"),
        Step("b", (), False),
        True,
    )
    assert unlike(first, "3 of 4\n\nwhat not\nend\n") == unlike(second, "") == unlike(third, "x |  n/a |  12 s\n") == ""
    assert "and prints\n3 of 5" in unlike(first, "3 of 5\nend\n")
    assert "is said to print\nend" in unlike(first, "3 of 4\nand\n")
    assert "is not said to\nmore" in unlike(first, "3 of 4\nend\nmore\n")
    assert "(nothing more)" in unlike(first, "") and "is not said to\nb" in unlike(second, "b\n")
    assert (
        unlike(third, "y | 1 [1, 1] | 7 s")
        and unlike(third, "x | 1 [1, 1] | 7 min")
        and not unlike(first, "9 of 9\nend", varies=True)
    )
