"""How long the net trains on as many answers as the notes have, against logistic regression on the same vectors.

The vectors are made up: 768 numbers in [0, 1], of which each group has some raised a little. The net has the widest
hidden layer that is searched, and all epochs; logistic regression is what a user would pick instead.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from rich.console import Console
from rich.table import Table

from measuring import Row, add_flags, alternate, as_program, machine, settle, teller, write_rows
from sociolect.common.artifacts import vectors
from sociolect.embedding.accuracy import macro
from sociolect.embedding.baselines import logistic_probabilities
from sociolect.embedding.fit_data import FitData, fit_data
from sociolect.embedding.net_training import Hyper, train_net
from sociolect.settings.embedding import EmbeddingSettings

NET, PEER = "embedding net", "logistic regression"
# the notes: nine groups of 3500 answers, and eleven of 6000
SIZES = ((9, 3500), (11, 6000))
ATTRIBUTES, MOST_SECONDS = 768, 60.0


def made_up(n_groups: int, per_group: int, attributes: int) -> FitData:
    """Train answers as many as asked for, and a tenth of them as val."""
    rng = np.random.default_rng(0)
    n, n_val = n_groups * per_group, n_groups * max(2, per_group // 10)
    group = np.arange(n + n_val) % n_groups
    raised = 0.1 * (rng.random((n_groups, attributes)) < 0.1)
    style = (0.9 * rng.random((n + n_val, attributes)) + raised[group]).astype(np.float32)
    frame = pl.DataFrame(
        {
            "answer_id": [f"a{i:06d}" for i in range(n + n_val)],
            "question_id": [f"q{i // 2:06d}" for i in range(n + n_val)],
            "author": [f"u{i // 3:06d}" for i in range(n + n_val)],
            "group": [f"g{g:02d}" for g in group],
            "part": ["train"] * n + ["val"] * n_val,
        }
    )
    return fit_data(frame.with_columns(vectors(style, "style")))


def run_benchmark(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print and write."""
    flags = parse(arguments)
    torch.set_num_threads(flags.threads)
    device, say = torch.device("cpu"), teller("embedding")
    # no early end: every epoch is trained
    settings = EmbeddingSettings(max_epochs=flags.epochs, patience=flags.epochs)
    hyper = Hyper(width=max(settings.widths), dimension=32, dropout=0.4, input_dropout=0.2, batch_size=256)
    rows = []
    for n_groups, per_group in SIZES:
        data = made_up(n_groups, per_group // flags.shrink, flags.attributes)
        n = len(data.style)
        accuracy: dict[str, float] = {}
        calls: dict[str, tuple[int, Callable[[], Any]]] = {
            PEER: (n, lambda data=data, out=accuracy: out.__setitem__(PEER, logistic(data))),  # type: ignore[misc]
            NET: (
                n,
                lambda data=data, out=accuracy: out.__setitem__(NET, train_net(data, hyper, settings, 1).accuracy),  # type: ignore[misc]
            ),
        }
        turns = alternate(calls, flags.rounds, flags.seconds, device, say, budget=flags.budget)
        for name in calls:
            seconds = n / turns[name].median
            where = machine(device) | {
                "answers": n,
                "attributes": flags.attributes,
                "epochs": flags.epochs if name == NET else None,
                "rounds": len(turns[name].speeds),
                "cores": round(turns[name].cores, 2),
                "val_macro_accuracy": round(accuracy[name], 3),
                "met": seconds <= MOST_SECONDS if name == NET else None,
            }
            ratio = turns[name].ratio(turns[PEER]) if name == NET else None
            rows.append(Row(f"{name}: training", seconds, "s", PEER if name == NET else None, ratio, where))
    show(rows, Console(width=None if sys.stdout.isatty() else 120))
    if flags.json:
        write_rows(rows, flags.json)
    return rows


def logistic(data: FitData) -> float:
    """Val macro accuracy of logistic regression as the baselines have it."""
    features = np.concatenate([data.style.numpy(), data.val_style])
    truth = np.concatenate([data.who.group.numpy(), data.val_group])
    n = len(data.style)
    probabilities = logistic_probabilities(features, truth, np.arange(len(features)) < n)
    return macro(probabilities[n:].argmax(axis=1), data.val_group)


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the rows as a table."""
    first = rows[0].conditions
    table = Table(title=f"{first['attributes']} attributes; {first['cpu']}, {first['threads']} threads")
    for head in ("training", "answers", "seconds", f"at most {MOST_SECONDS:g} s", "speed x regression", "val macro"):
        table.add_column(head, justify="left" if head == "training" else "right")
    for row in rows:
        met = {True: "met", False: "missed", None: "-"}[row.conditions["met"]]
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
        name, answers = row.name.removesuffix(": training"), str(row.conditions["answers"])
        table.add_row(name, answers, f"{row.value:.1f}", met, ratio, f"{row.conditions['val_macro_accuracy']:.3f}")
    console.print(table)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Flags, with the defaults that depend on --quick."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes on two cores: a tenth of the answers")
    parser.add_argument("--shrink", type=int, help="divide the answers by this (default 1; --quick: 10)")
    parser.add_argument("--attributes", type=int, help="width of the style vectors")
    parser.add_argument("--epochs", type=int, help="epochs, all of which are trained")
    add_flags(parser)
    parser.set_defaults(device="cpu")
    flags = parser.parse_args(arguments)
    settle(flags, lambda gpu: {"shrink": 10 if flags.quick else 1, "attributes": ATTRIBUTES, "epochs": 20})
    return flags


if __name__ == "__main__":
    as_program(run_benchmark)
