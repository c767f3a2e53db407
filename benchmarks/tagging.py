"""How fast answers are tagged, against spaCy with all its components, in one run and on the same texts.

The baseline is what a user writes: `spacy.load(package)` and `nlp.pipe(texts)`, with which names of entities and lemmas
are found as well. No speed is reported unless both say the same of every token.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from rich.console import Console
from rich.table import Table

from comparing import print_doubts, speed_conditions, speed_rows, target_rows, targets_table
from measuring import Row, add_flags, alternate, as_program, machine, settle, teller, write_rows
from sociolect.common.errors import InputError
from sociolect.corpus.demo.prose import ATTRIBUTES, TOPICS, write_answer
from sociolect.settings.syntax import TAGGERS, is_installed
from sociolect.syntax.tagging import Tagger, open_tagger, tag_texts

TAGGER = "en_core_web_sm"
PIPE, OURS = "nlp.pipe, all components", "tag_texts"
TARGETS = ((OURS, PIPE, 1.0),)


def made_up_texts(n: int, seed: int = 0) -> list[str]:
    """Texts of one to ten made-up answers, so that lengths differ as those of real ones do."""
    rng = np.random.default_rng(seed)
    topics, attributes = sorted(TOPICS), sorted(ATTRIBUTES)

    def answer() -> str:
        return write_answer(topics[int(rng.integers(len(topics)))], set(rng.choice(attributes, 2).tolist()), rng)

    return ["\n\n".join(answer() for _ in range(int(rng.integers(1, 11)))) for _ in range(n)]


def read_texts(path: Path, n: int) -> list[str]:
    """Texts of a parquet table, evenly from its beginning to its end.

    Raises:
        InputError: there is no such file, or it has no column of texts.
    """
    if not path.is_file():
        raise InputError(f"--texts: {path}: no such file")
    frame = pl.read_parquet(path)
    column = next((name for name in ("answer", "text") if name in frame.columns), None)
    if column is None or not frame.height:
        raise InputError(f"--texts: {path}: no column 'answer' or 'text' with texts in it")
    texts = frame[column].drop_nulls().to_list()
    return [texts[i * len(texts) // n] for i in range(min(n, len(texts)))]


def check_same(pipeline: Any, tagger: Tagger, texts: Sequence[str]) -> int:
    """Number of tokens, if both contenders say the same of each.

    Raises:
        InputError: naming the first text about which they do not.
    """
    tagged = tag_texts(texts, tagger)
    for number, (document, row) in enumerate(zip(pipeline.pipe(texts), tagged.iter_rows(named=True), strict=True)):
        tokens = [token for token in document if not token.is_space]
        for name, said in (("pos", "pos_"), ("tag", "tag_"), ("dep", "dep_")):
            if [getattr(token, said) for token in tokens] != row[name]:
                raise InputError(f"text {number}: {OURS} and {PIPE} differ in {name}; nothing to compare")
    return int(tagged["pos"].list.len().sum())


def run_benchmark(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print and write.

    Raises:
        InputError: spaCy is missing, or contenders do not say the same.
    """
    flags = parse(arguments)
    if not is_installed(TAGGER):
        raise InputError("spaCy is not installed: run `make setup-syntax`")
    import spacy

    torch.set_num_threads(flags.threads)
    device, say = torch.device("cpu"), teller("tagging")
    texts = read_texts(flags.texts, flags.answers) if flags.texts else made_up_texts(flags.answers)
    pipeline, tagger = spacy.load(TAGGERS[TAGGER]), open_tagger(TAGGER)
    n_tokens = check_same(pipeline, tagger, texts)
    say(f"checked: {n_tokens} tokens of {len(texts)} texts")
    conditions = machine(device) | {
        "spacy": spacy.__version__,
        "model": f"{TAGGERS[TAGGER]} {pipeline.meta['version']}",
        "texts": f"{len(texts)}, {flags.texts.name if flags.texts else 'made up'}",
        "tokens_per_text": round(n_tokens / len(texts), 1),
    }
    calls: dict[str, tuple[int, Callable[[], Any]]] = {
        PIPE: (n_tokens, lambda: sum(1 for _ in pipeline.pipe(texts))),
        OURS: (n_tokens, partial(tag_texts, texts, tagger)),
    }
    turns = alternate(calls, flags.rounds, flags.seconds, device, say, budget=flags.budget)
    rows = [
        row
        for name in calls
        for row in speed_rows(name, turns, [PIPE], "tokens/s", conditions | speed_conditions(turns[name]))
    ]
    rows += target_rows(turns, TARGETS, conditions)
    show(rows, Console(width=None if sys.stdout.isatty() else 120))
    if flags.json:
        write_rows(rows, flags.json)
    return rows


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the rows as a table."""
    first = rows[0].conditions
    table = Table(title=f"{first['model']}, spaCy {first['spacy']}; {first['cpu']}, {first['threads']} threads")
    for head in ("contender", "tokens/s", "min - max", f"x {PIPE}"):
        table.add_column(head, justify="left" if head == "contender" else "right")
    ratios = {row.name: row.ratio for row in rows if row.ratio is not None}
    for row in rows:
        if row.name.endswith(": speed") and row.baseline is None:
            spread = f"{row.conditions['min']:.0f} - {row.conditions['max']:.0f}"
            ratio = ratios.get(row.name)
            table.add_row(
                row.name.removesuffix(": speed"), f"{row.value:.0f}", spread, "-" if ratio is None else f"{ratio:.2f}"
            )
    console.print(table)
    console.print(targets_table(rows))
    print_doubts(rows, console)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Flags, with the defaults that depend on --quick."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two minutes on two cores: fewer texts")
    parser.add_argument("--texts", type=Path, help="parquet with a column answer or text (default: made up)")
    parser.add_argument("--answers", type=int, help="texts of a call")
    add_flags(parser)
    # as tag_answers runs
    parser.set_defaults(threads=1, device="cpu")
    flags = parser.parse_args(arguments)
    settle(flags, lambda gpu: {"answers": 60 if flags.quick else 400})
    return flags


if __name__ == "__main__":
    as_program(run_benchmark)
