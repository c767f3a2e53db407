"""How fast answers are labelled, against what a user would pick instead, in one run and on the same pairs.

Contenders: the text-classification pipeline of transformers, CrossEncoder.predict of sentence-transformers (batch 32
and its best batch size), this project's cross-encoder in fp32 and bf16, and the student. All load one folder, and no
speed is reported unless their scores agree. docs/benchmarks.md says how to read what this prints.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from contenders import (
    CROSS,
    CROSS_BF16,
    ENGINE,
    ENGINE_BF16,
    PIPELINE,
    PIPELINE_MIXED,
    STUDENT,
    STUDENT_BF16,
    TOLERANCES,
    Contender,
    K,
    check_agreement,
    check_spread,
    cross_encoder,
    cross_encoder_scores,
    engine_scores,
    pipeline_scores,
    student_contender,
)
from measuring import DTYPES, Row, Turns, alternate, computed_tokens, machine, matmul_peak, write_rows
from sociolect.agreement.model import SPECIAL_TOKENS
from sociolect.errors import InputError
from sociolect.settings import DistillationSettings
from workload import SHAPES, Block, Shape, build_model, make_block, pair_flop, read_block, real_cost

INSTALL = "make bench, or: python -m pip install -r envs/core.txt -r envs/benchmarks.txt"
LEFT_OUT = "sentence-transformers"
BATCH_SIZES = (8, 16, 32, 64, 128)
NOTES_ANSWERS = 9 * 3500 + 11 * 6000 + 12 * 130 * 3
# forward, and backward at twice its cost
PASSES_PER_STEP = 3

TARGETS = (
    (ENGINE, CROSS, 1.3),
    (ENGINE_BF16, CROSS, 2.5),
    (ENGINE_BF16, PIPELINE, 8.0),
    (ENGINE_BF16, PIPELINE_MIXED, 8.0),
    (STUDENT, PIPELINE, 1000.0),
    (STUDENT_BF16, PIPELINE, 1000.0),
)


def hours(units: float, per_second: float) -> float:
    """Hours that so many units take."""
    return units / per_second / 3600


def student_hours(
    teacher: float, train: float, student: float, settings: DistillationSettings | None = None
) -> dict[str, float]:
    """Hours of the notes' labelling by a student, by step.

    Args:
        teacher: pairs per second of the cross-encoder that it learns from.
        train: answers per second of the student's forward pass in fp32.
        student: answers per second of the student in the precision that labels.
        settings: how many answers it learns from and is judged on, and how often it sees them at most.
    """
    settings = settings or DistillationSettings()
    passes = settings.max_epochs * (PASSES_PER_STEP * settings.n_answers + settings.n_heldout)
    return {
        "teacher": hours((settings.n_answers + 2 * settings.n_heldout) * K, teacher),
        "training": hours(passes, train),
        "student": hours(NOTES_ANSWERS, student),
    }


def build_contenders(
    folder: Path, block: Block, max_tokens: int, tokens_per_batch: int, device: torch.device, flags: argparse.Namespace
) -> dict[str, Contender]:
    """All contenders in the order of their turns; the best batch size is not known yet."""
    by_answer, by_attribute = pipeline_scores(folder, block.attributes, device)
    found = {PIPELINE: Contender("fp32", by_answer)}
    if not flags.quick:
        found[PIPELINE_MIXED] = Contender("fp32", by_attribute)
    if flags.without:
        found[CROSS] = Contender("fp32", None, f"left out: --without {LEFT_OUT}")
    else:
        model = cross_encoder(folder, max_tokens, device)
        found[CROSS] = Contender("fp32", cross_encoder_scores(model, block.attributes, 32))
        if not flags.quick:
            half = cross_encoder(folder, max_tokens, device, "bf16")
            found[CROSS_BF16] = Contender("bf16 weights", cross_encoder_scores(half, block.attributes, 32))
    for name, precision in ((ENGINE, "fp32"), (ENGINE_BF16, "bf16")):
        run = engine_scores(folder, block.attributes, max_tokens, tokens_per_batch, precision, device)
        found[name] = Contender(precision, run)
    for name, precision in ((STUDENT, "fp32"), (STUDENT_BF16, "bf16")):
        found[name] = student_contender(folder, max_tokens, flags.student_tokens, precision, device)
    return found


def search_batch_size(
    folder: Path, block: Block, max_tokens: int, device: torch.device, say: Callable[[str], None]
) -> tuple[int, Any, dict[int, float]]:
    """The batch size with which CrossEncoder.predict is fastest in one turn each, the model, and all speeds."""
    model = cross_encoder(folder, max_tokens, device)
    sizes = [size for size in BATCH_SIZES if size <= max(32, block.lengths.size)]
    runs = {size: cross_encoder_scores(model, block.attributes, size) for size in sizes}
    speeds = {}
    for size, run in runs.items():
        call = {f"batch {size}": (block.lengths.size, partial(run, block.answers))}
        try:
            turns = alternate(call, 1, 0.0, device, lambda line: say(f"best batch size: {line}"))
        except torch.OutOfMemoryError:
            say(f"best batch size: {size} does not fit into memory")
            break
        speeds[size] = turns[f"batch {size}"].median
    return max(speeds, key=lambda size: speeds[size]), model, speeds


def is_student(name: str) -> bool:
    """Whether it scores whole answers, not pairs."""
    return name in (STUDENT, STUDENT_BF16)


def measure_shape(shape_name: str, flags: argparse.Namespace, device: torch.device, folder: Path) -> list[Row]:
    """All rows of one shape."""
    started = time.perf_counter()

    def say(line: str) -> None:
        print(f"{time.perf_counter() - started:6.1f} s  {shape_name}: {line}", file=sys.stderr, flush=True)

    full = SHAPES[shape_name]
    shape = replace(full, layers=flags.layers or full.layers)
    tokenizer, block = _block(flags, shape)
    build_model(shape, tokenizer, flags.max_tokens, folder)
    say(f"{block.lengths.size} pairs of {block.lengths.mean():.0f} tokens; {shape.layers} of {full.layers} layers")
    conditions = machine(device) | {
        "shape": f"deberta-v3-{shape_name}, random weights",
        "layers": f"{shape.layers} of {full.layers}",
        "pairs": f"{len(block.answers)} answers x {len(block.attributes)} attributes",
        "tokens_per_pair": round(float(block.lengths.mean()), 1),
        "texts": flags.texts.name if flags.texts else "made up",
        "max_tokens": flags.max_tokens,
        "tokens_per_batch": flags.tokens_per_batch,
    }
    contenders = build_contenders(folder, block, flags.max_tokens, flags.tokens_per_batch, device, flags)

    # the first pass warms up, is what the scores are compared on, and counts what is computed
    padding: dict[str, float | None] = {}
    differences: dict[str, float] = {}
    searched: dict[int, float] = {}
    if not flags.without and not flags.quick:
        best, model, searched = search_batch_size(folder, block, flags.max_tokens, device, say)
        if best != 32:
            run = cross_encoder_scores(model, block.attributes, best)
            added = {f"CrossEncoder.predict, best batch ({best})": Contender("fp32", run)}
            names = list(contenders)
            place = names.index(CROSS) + 1
            contenders = {n: (contenders | added)[n] for n in [*names[:place], *added, *names[place:]]}
    reference: np.ndarray | None = None
    for name, contender in contenders.items():
        if contender.run is None:
            continue
        texts, lengths = (block.alone, block.alone_lengths) if is_student(name) else (block.answers, block.lengths)
        with computed_tokens((shape.intermediate, shape.hidden), shape.layers) as seen:
            scores = contender.run(texts)
        padding[name] = 1 - float(lengths.sum()) / sum(seen) if seen else None
        say(f"checked: {name}")
        if contender.plain is not None:
            few = texts[:2]
            plain = contender.plain(few)
            differences[name] = check_agreement(plain, scores[: len(few)], name, contender.precision)
            continue
        if reference is None:
            reference = scores
            check_spread(reference)
        differences[name] = check_agreement(reference, scores, name, contender.precision)

    calls: dict[str, tuple[int, Callable[[], Any]]] = {}
    for name, contender in contenders.items():
        if contender.run is not None:
            texts = block.alone if is_student(name) else block.answers
            units = len(texts) * K if is_student(name) else block.lengths.size
            calls[name] = units, partial(contender.run, texts)
    peaks: dict[str, list[float]] = {precision: [] for precision in DTYPES}

    def measure_peaks() -> None:
        for precision, found in peaks.items():
            found.append(matmul_peak(precision, device))

    turns = alternate(calls, flags.rounds, flags.seconds, device, say, measure_peaks, flags.budget)
    return report_rows(contenders, turns, block, shape, full, peaks, padding, differences, searched, conditions)


def report_rows(
    contenders: Mapping[str, Contender],
    turns: Mapping[str, Turns],
    block: Block,
    shape: Shape,
    full: Shape,
    peaks: Mapping[str, Sequence[float]],
    padding: Mapping[str, float | None],
    differences: Mapping[str, float],
    searched: Mapping[int, float],
    conditions: Mapping[str, Any],
) -> list[Row]:
    """Rows of all contenders, of the targets and of the extrapolation."""
    rows = [
        Row(
            f"matmul, {precision}: peak",
            max(found) / 1e9,
            "GFLOP/s",
            conditions={**conditions, "by_round": [round(peak / 1e9, 1) for peak in found]},
        )
        for precision, found in peaks.items()
    ]
    rows += [
        Row(f"CrossEncoder.predict, batch {size}: search", speed, "pairs/s", conditions={**conditions, "rounds": 1})
        for size, speed in searched.items()
    ]
    pair_cost = float(np.mean([pair_flop(shape, int(n)) for n in block.lengths.ravel()]))
    alone_cost = float(np.mean([pair_flop(shape, int(n)) for n in block.alone_lengths]))
    baselines = [name for name in contenders if name.startswith(("pipeline", "CrossEncoder"))]
    for name, contender in contenders.items():
        where = {**conditions, "precision": contender.precision}
        if contender.run is None:
            rows.append(Row(f"{name}: speed", None, "pairs/s", conditions={**where, "note": contender.note}))
            continue
        mine = turns[name]
        where |= {"min": min(mine.speeds), "max": max(mine.speeds), "seconds": round(mine.seconds, 1)}
        where |= {"rounds": len(mine.speeds), "cores": round(mine.cores, 2)}
        if is_student(name):
            where["note"] = f"(answer, attribute) at K = {K}; {len(block.alone)} answers a call"
        per_call = K if is_student(name) else 1
        mean_tokens = float((block.alone_lengths if is_student(name) else block.lengths).mean())
        rows.append(Row(f"{name}: speed", mine.median, "pairs/s", conditions=where))
        rows += [
            Row(f"{name}: speed", mine.median, "pairs/s", other, mine.ratio(turns[other]), where)
            for other in baselines
            if other != name and other in turns
        ]
        passes = mine.median / per_call
        cost = alone_cost if is_student(name) else pair_cost
        rows += [
            Row(f"{name}: tokens", passes * mean_tokens, "tokens/s, without padding", conditions=where),
            Row(f"{name}: padding", padding[name], "share of computed tokens", conditions=where),
            Row(
                f"{name}: matmul share",
                median(s / per_call * cost / p for s, p in zip(mine.speeds, peaks[contender.dtype], strict=True)),
                f"share of the {contender.dtype} matmul peak",
                conditions=where,
            ),
        ]
        if name in differences:
            rows.append(
                Row(
                    f"{name}: score difference",
                    differences[name],
                    "largest |difference| to transformers' scores",
                    conditions={**where, "allowed": TOLERANCES[contender.precision]},
                )
            )
    # few answers may be longer or shorter than all are; 8 tokens are an attribute
    limit = conditions["max_tokens"]
    longer = real_cost(shape, limit, 8 + SPECIAL_TOKENS) / pair_cost, real_cost(shape, limit, 2) / alone_cost
    return [*rows, *target_rows(turns, conditions), *extrapolated_rows(turns, shape, full, conditions, *longer)]


def target_rows(turns: Mapping[str, Turns], conditions: Mapping[str, Any]) -> list[Row]:
    """What was promised, and what came out."""
    rows = []
    for name, baseline, least in TARGETS:
        if baseline == PIPELINE_MIXED and baseline not in turns:
            continue
        ratio = turns[name].ratio(turns[baseline]) if baseline in turns else None
        note = {"met": None if ratio is None else ratio >= least}
        rows.append(Row(f"target: {name}", least, "x, at least", baseline, ratio, {**conditions, **note}))
    return rows


def extrapolated_rows(
    turns: Mapping[str, Turns],
    shape: Shape,
    full: Shape,
    conditions: Mapping[str, Any],
    longer: float = 1.0,
    longer_alone: float = 1.0,
) -> list[Row]:
    """Hours for all answers of the notes and K attributes, with all layers.

    Args:
        turns: what was measured.
        shape: with the layers that were measured.
        full: with all.
        conditions: of all rows.
        longer: FLOP of a pair of the real lengths over that of a pair that was measured.
        longer_alone: the same of an answer by itself.
    """
    deeper = full.layers / shape.layers
    pairs, rows = NOTES_ANSWERS * K, []

    def add(what: str, value: float, names: Sequence[str], note: str = "") -> None:
        seconds = sum(turns[name].seconds for name in names)
        said = f"extrapolated from {seconds:.1f} seconds of measurement" + (f"; {note}" if note else "")
        if abs(longer - 1) > 0.01:
            said += f"; a real pair costs {longer:.2f} of a measured one"
        if deeper != 1:
            # an encoder that leaves out most of the last layer gains more, the fewer there are
            said += f"; only {shape.layers} of {full.layers} layers were measured: flatters this engine"
        answers = {"answers": NOTES_ANSWERS, "attributes": K}
        rows.append(
            Row(f"the notes' labelling: {what}", value, "hours", conditions={**conditions, **answers, "note": said})
        )

    cross = [name for name in turns if not is_student(name)]
    for name in cross:
        add(name, deeper * longer * hours(pairs, turns[name].median), [name])
    fastest = max((ENGINE, ENGINE_BF16), key=lambda name: turns[name].median)
    labeller = max((STUDENT, STUDENT_BF16), key=lambda name: turns[name].median)
    train, student = (turns[name].median / K / longer_alone for name in (STUDENT, labeller))
    steps = student_hours(turns[fastest].median / longer, train, student)
    parts = ", ".join(f"{step} {deeper * value:.3g} h" for step, value in steps.items())
    note = f"{parts}; teacher {fastest}, all epochs in fp32, then {labeller}"
    add("student, teacher and training included", deeper * sum(steps.values()), [fastest, STUDENT, labeller], note)
    return rows


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the rows of one shape as three tables."""
    values = {(row.name, row.baseline): row for row in rows}
    first = rows[0].conditions
    where = ", ".join(str(first[key]) for key in ("cpu", "gpu", "driver", "capability") if first.get(key))
    work = f"{first['layers']} layers; {first['pairs']}, {first['tokens_per_pair']} tokens a pair"
    table = Table(title=f"{first['shape']}, {work}\n{where}; {first['threads']} threads, torch {first['torch']}")
    heads = ("contender", "pairs/s", "min - max", "x pipeline", "x CrossEncoder", "tokens/s", "padding", "of peak")
    for head in (*heads, "cores", "score diff."):
        table.add_column(head, justify="left" if head == "contender" else "right")
    names = [row.name.removesuffix(": speed") for row in rows if row.name.endswith(": speed") and not row.baseline]
    for name in names:
        speed = values[f"{name}: speed", None]
        if speed.value is None:
            table.add_row(name, *["-"] * 9)
            continue
        ratios = [values.get((f"{name}: speed", other)) for other in (PIPELINE, CROSS)]
        difference = values.get((f"{name}: score difference", None))
        table.add_row(
            name,
            f"{speed.value:.4g}",
            f"{speed.conditions['min']:.4g} - {speed.conditions['max']:.4g}",
            *(f"{row.ratio:.2f}" if row and row.ratio is not None else "-" for row in ratios),
            f"{values[f'{name}: tokens', None].value:.0f}",
            _percent(values[f"{name}: padding", None].value),
            _percent(values[f"{name}: matmul share", None].value),
            _percent(speed.conditions["cores"]),
            f"{difference.value:.1e}" if difference and difference.value is not None else "-",
        )
    console.print(table)
    busy = [row.conditions["cores"] for row in rows if "cores" in row.conditions]
    if first["device"] == "cpu" and busy and min(busy) < 0.8:
        console.print(f"other work had up to {100 * (1 - min(busy)):.0f} % of the cores: the ratios are unsure")
    peaks = [row for row in rows if row.name.startswith("matmul")]
    console.print("matmul peak: " + ", ".join(f"{row.name[8:12]} {row.value:.1f} {row.unit}" for row in peaks))
    searched = [row for row in rows if row.name.endswith(": search")]
    if searched:
        found = ", ".join(f"{row.name.split('batch ')[1].split(':')[0]}: {row.value:.3g}" for row in searched)
        console.print(f"CrossEncoder.predict, pairs/s by batch size: {found}")
    targets = Table("target", "against", "at least", "measured", "")
    for row in rows:
        if row.name.startswith("target: "):
            met = {True: "met", False: "missed", None: "not measured"}[row.conditions["met"]]
            shown = "-" if row.ratio is None else f"{row.ratio:.2f}x"
            targets.add_row(row.name.removeprefix("target: "), row.baseline, f"{row.value:g}x", shown, met)
    console.print(targets)
    notes = Table(f"the notes' labelling: {NOTES_ANSWERS} answers x {K} attributes", "hours", "conditions")
    for row in rows:
        if row.name.startswith("the notes'"):
            notes.add_row(row.name.split(": ", 1)[1], f"{row.value:.3g}", row.conditions["note"])
    console.print(notes)


def _percent(share: float | None) -> str:
    return "n/a" if share is None else f"{100 * share:.1f} %"


def _block(flags: argparse.Namespace, shape: Shape) -> tuple[Any, Block]:
    sizes = (flags.answers, flags.attributes, flags.student_answers, flags.max_tokens)
    if flags.texts:
        # as many pieces as the model's table holds, but no more than a small corpus is worth
        return read_block(flags.texts, *sizes, vocabulary=min(32768, shape.vocabulary))
    return make_block(*sizes, tokens=flags.tokens)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Flags, with the defaults that depend on the device and on --quick."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="file for the rows")
    parser.add_argument("--quick", action="store_true", help="two minutes on two cores: the pairs of one answer")
    shapes = parser.add_argument("--shape", nargs="+", default=["base"], metavar="SHAPE", help="base, large, or both")
    parser.add_argument("--layers", type=int, help="so many layers; the fewer, the more this engine gains")
    parser.add_argument("--texts", type=Path, help="parquet with a column answer or text (default: made up)")
    parser.add_argument("--tokens", type=int, help="all pairs of exactly this length, such as 256")
    parser.add_argument("--answers", type=int, help="answers of a block")
    parser.add_argument("--attributes", type=int, help="attributes of a block")
    parser.add_argument("--student-answers", type=int, help="answers of a call of the student")
    parser.add_argument("--max-tokens", type=int, default=512, help="longest pair")
    parser.add_argument("--tokens-per-batch", type=int, help="budget of this engine's batches")
    parser.add_argument("--student-tokens", type=int, help="budget of the student's batches")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender")
    parser.add_argument("--seconds", type=float, help="least time per contender (default: one call a turn; GPU: 10)")
    parser.add_argument("--budget", type=float, help="add rounds while they fit into so many seconds (--quick: 60)")
    parser.add_argument("--threads", type=int, help="threads of torch (default: all cores)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, or auto: a GPU where there is one")
    parser.add_argument("--without", choices=[LEFT_OUT], help="leave this package's contenders out")
    flags = parser.parse_args(arguments)
    unknown = [name for name in flags.shape if name not in SHAPES]
    if unknown:
        parser.error(f"--shape: {unknown[0]!r} is unknown; {shapes.help}")
    if flags.texts and flags.tokens:
        parser.error("--tokens is for made-up texts; leave --texts out")
    if flags.device == "auto":
        flags.device = "cuda" if torch.cuda.is_available() else "cpu"
    gpu = torch.device(flags.device).type == "cuda"
    # a batch of 32 then holds one answer, as it does with K attributes: fewer would be padded as real work is not
    defaults = {
        "answers": 32 if gpu else 1 if flags.quick else 3,
        "attributes": 128 if gpu else 16 if flags.quick else 32,
        "student_answers": 1024 if gpu else 8 if flags.quick else 24,
        "tokens_per_batch": 65536 if gpu else 4096,
        "student_tokens": 65536 if gpu else 1024,
        "seconds": 10.0 if gpu else 0.0,
        "budget": 60.0 if flags.quick else 0.0,
    }
    for name, value in defaults.items():
        if getattr(flags, name) is None:
            setattr(flags, name, value)
    return flags


def run_benchmark(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print and write.

    Raises:
        InputError: sentence-transformers is missing, or contenders do not compute the same.
    """
    flags = parse(arguments)
    if not flags.without and importlib.util.find_spec("sentence_transformers") is None:
        raise InputError(f"sentence-transformers is missing: {INSTALL}; or leave it out: --without {LEFT_OUT}")
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(flags.threads or os.cpu_count() or 1)
    device, rows = torch.device(flags.device), []
    console = Console(width=None if sys.stdout.isatty() else 160)
    for shape in flags.shape:
        with tempfile.TemporaryDirectory() as folder:
            found = measure_shape(shape, flags, device, Path(folder))
        show(found, console)
        rows += found
        if flags.json:
            write_rows(rows, flags.json)
    return rows


def main() -> None:
    try:
        run_benchmark()
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
