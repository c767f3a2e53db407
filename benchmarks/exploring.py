"""What opening the explorer takes, at several numbers of generations: seconds from the start of loading until it is
laid out in headless Chromium, and milliseconds of a step, a search and another group.

The generations are made up; the page is that of `workflow/scripts/write_explorer.py`, without its intervals.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
import torch
from rich.console import Console
from rich.table import Table

from measuring import ROOT, Row, as_program, machine, write_rows
from sociolect.common.artifacts import vectors
from sociolect.common.errors import InputError
from sociolect.common.schemas import BY_JUDGE, GENERATIONS, GROUPS, JUDGED
from sociolect.evaluation.scores import Centers, score_table
from sociolect.evaluation.templates import read_page
from sociolect.explorer.data import ExplorerTables, experiment_data
from sociolect.explorer.explorer_page import explorer_page
from sociolect.generation.conditions import CONDITIONS
from sociolect.stylometry.stylometry import ATTRIBUTES

TEMPLATES = [ROOT / f"workflow/report/explorer.{part}.j2" for part in ("html", "css", "js")]
N_GROUPS, SAMPLES, DIMENSION = 12, 3, 16
WORDS = "the we perhaps really don't 12 cannot etc. school light however, I very is taken! and of in it (so)"
# what a reader does, in turn; every figure with the layout that it needs
DOING = """
const times = {}, settle = () => document.body.offsetHeight;
settle();
times.opened = performance.now();
const timed = (name, act) => {
  const start = performance.now();
  act(); settle();
  times[name] = performance.now() - start;
};
const key = name => document.dispatchEvent(new KeyboardEvent("keydown", {key: name}));
timed("step", () => key("ArrowRight"));
const set = (id, value, event) => {
  const field = document.getElementById(id);
  field.value = value;
  field.dispatchEvent(new Event(event));
};
timed("search", () => set("find", "school", "input"));
timed("group", () => set("group", "g03", "change"));
document.title = JSON.stringify(times);
"""


def made_up(n: int, n_words: int, seed: int = 0) -> tuple[ExplorerTables, pl.DataFrame]:
    """An experiment with at least so many generations of so many words, and a catalogue of all measured attributes."""
    rng, conditions = np.random.default_rng(seed), list(CONDITIONS)
    groups = [f"g{i:02d}" for i in range(N_GROUPS)]
    questions = -(-n // (len(conditions) * SAMPLES))
    keys = [(q, c, s) for q in range(questions) for c in conditions for s in range(SAMPLES)]
    own = [groups[q % N_GROUPS] for q, _, _ in keys]
    generations = GENERATIONS.frame([
        {
            "request_id": f"{i:08d}", "question_id": f"q{q:05d}", "question_group": own[i], "target": own[i],
            "condition": c, "sample": s, "prompt": f"question {q}, {c}", "seed": s, "method": None,
            "text": " ".join(rng.choice(WORDS.split(), n_words)), "n_tokens": n_words, "finish_reason": "stop",
        }
        for i, (q, c, s) in enumerate(keys)
    ])  # fmt: skip
    width, ids = len(ATTRIBUTES), generations["request_id"].to_list()
    centers = rng.normal(size=(N_GROUPS, DIMENSION))
    embeddings = rng.normal(size=(len(ids), DIMENSION))
    nothing: dict[str, float | None] = dict.fromkeys(ids, 0.5)
    topic: dict[str, str | None] = dict(zip(ids, own, strict=True))
    styles = rng.random((len(ids), width))
    known = Centers(tuple(groups), centers, "euclidean")
    scores = score_table(generations, embeddings, styles, topic, nothing, nothing, known)
    said = {"sees": "style", "p_target": 0.5, "p_question_group": 0.5}
    judged = JUDGED.frame(
        [
            said | {"request_id": i, "judge": judge, "group": str(rng.choice(groups))}
            for judge in ("measured", "ngrams", "topic")
            for i in ids
        ]
    )
    row = dict.fromkeys(BY_JUDGE.columns) | {"sees": "style", "targets": "own", "n": 10, "rate": 0.5, "gain": 0.1}
    known_judges = ("sfam", "measured", "ngrams", "topic")
    judges = BY_JUDGE.frame([row | {"judge": judge, "condition": c} for judge in known_judges for c in conditions])
    plain = {"n_answers": 1, "n_authors": 1, "distinctive": [], "distinctive_gap": [], "distinctive_frequency": []}
    profile = pl.DataFrame([plain | {"group": g} for g in groups], schema_overrides={"distinctive": pl.List(pl.String)})
    profile = profile.with_columns(
        vectors(centers, "embedding"), *(vectors(centers, name) for name in ("style", "mean_style", "usage"))
    ).select(list(GROUPS.columns))
    tables = ExplorerTables(
        "main", ("single",), "askx", scores, generations, judged, profile, judges, dict.fromkeys(groups, judges),
        {f"q{q:05d}": f"What of {' '.join(rng.choice(WORDS.split(), 6))}?" for q in range(questions)}, "euclidean",
    )  # fmt: skip
    names = pl.DataFrame(
        {"attribute_id": [f"a{i:03d}" for i in range(width)], "attribute": [a.name for a in ATTRIBUTES]}
    )
    return tables, names


def measured(folder: Path, page: str, rounds: int) -> dict[str, list[float]]:
    """Seconds by round of what the page itself takes: opened, step, search, group.

    Raises:
        InputError: there is no Chromium, or it failed.
    """
    browser = shutil.which("chromium")
    if browser is None:
        raise InputError("no chromium: apt-get install chromium")
    file = folder / "explorer.html"
    file.write_text(page.replace("</body>", f"<script>{DOING}</script></body>"), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile", "--dump-dom"]
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        done = subprocess.run([browser, *flags, file.as_uri()], capture_output=True, text=True, timeout=300)
        title = re.search(r"<title>(.*?)</title>", done.stdout)
        if done.returncode or title is None or not title[1].startswith("{"):
            raise InputError(f"chromium did not open the page: {done.stderr[-500:]}")
        for name, milliseconds in json.loads(unescape(title[1])).items():
            found.setdefault(name, []).append(milliseconds / 1000)
    return found


def run_benchmark(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print and write."""
    flags = parse(arguments)
    sizes = flags.generations or ([1000] if flags.quick else [1000, 10_000])
    rows: list[Row] = []
    shown = Table("generations", "page, MB", "written, s", "opened, s", "step, ms", "search, ms", "another group, ms")
    for size in sizes:
        tables, catalogue = made_up(size, flags.words)
        started = time.monotonic()
        experiment = experiment_data(tables, catalogue)
        page = explorer_page(read_page(TEMPLATES), "made-up", catalogue["attribute"].to_list(), [experiment], 0.95)
        written, megabytes = time.monotonic() - started, len(page.encode()) / 1e6
        said = machine(torch.device("cpu")) | {
            "generations": tables.generations.height,
            "words": flags.words,
            "rounds": flags.rounds,
            "megabytes": megabytes,
        }
        with tempfile.TemporaryDirectory() as folder:
            times = measured(Path(folder), page, flags.rounds)
        rows += [
            Row(f"{size} generations: {name}", median(by_round), "s", conditions=said | {"by_round": by_round})
            for name, by_round in times.items()
        ]
        rows.append(Row(f"{size} generations: page", megabytes, "MB", conditions=said))
        shown.add_row(
            f"{tables.generations.height:,}", f"{megabytes:.1f}", f"{written:.0f}",
            f"{median(times['opened']):.2f}",
            *(f"{1000 * median(times[name]):.0f}" for name in ("step", "search", "group")),
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 120).print(shown)
    if flags.json:
        write_rows(rows, flags.json)
    return rows


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 generations alone")
    parser.add_argument("--generations", type=int, nargs="+", help="how many (default: 1000 10000)")
    parser.add_argument("--words", type=int, default=60, help="words of each")
    parser.add_argument("--rounds", type=int, default=5, help="browsers that open each page")
    parser.add_argument("--json", type=Path, help="file for the rows")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    as_program(run_benchmark)
