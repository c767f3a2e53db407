"""How fast answers are labeled, against what a user would pick instead, in one run and on the same pairs.

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
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

import numpy as np
import torch
from rich.console import Console

from contenders import (
    CROSS,
    CROSS_BF16,
    ENGINE,
    ENGINE_BF16,
    PIPELINE,
    PIPELINE_MIXED,
    STUDENT,
    STUDENT_BF16,
    Contender,
    K,
    check_agreement,
    check_spread,
    cross_encoder,
    cross_encoder_scores,
    engine_scores,
    is_student,
    pipeline_scores,
    student_contender,
)
from measuring import (
    DTYPES,
    Row,
    add_flags,
    alternate,
    as_program,
    computed_tokens,
    hush_transformers,
    machine,
    matmul_peak,
    search_sizes,
    settle,
    teller,
    write_rows,
)
from reporting import report_rows, show
from sociolect.common.errors import InputError
from workload import SHAPES, Block, Shape, build_model, make_block, read_block

INSTALL = "make bench, or: python -m pip install -r envs/core.txt -r envs/benchmarks.txt"
LEFT_OUT = "sentence-transformers"
BATCH_SIZES = (8, 16, 32, 64, 128)


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
    calls = {size: partial(run, block.answers) for size, run in runs.items()}
    speeds = search_sizes(calls, block.lengths.size, device, say)
    return max(speeds, key=lambda size: speeds[size]), model, speeds


def measure_shape(shape_name: str, flags: argparse.Namespace, device: torch.device, folder: Path) -> list[Row]:
    """All rows of one shape."""
    say, full = teller(shape_name), SHAPES[shape_name]
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


def _block(flags: argparse.Namespace, shape: Shape) -> tuple[Any, Block]:
    sizes = (flags.answers, flags.attributes, flags.student_answers, flags.max_tokens)
    if flags.texts:
        # as many pieces as the model's table holds, but no more than a small corpus is worth
        return read_block(flags.texts, *sizes, vocabulary=min(32768, shape.vocabulary))
    return make_block(*sizes, tokens=flags.tokens)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Flags, with the defaults that depend on the device and on --quick."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
    add_flags(parser)
    parser.add_argument("--without", choices=[LEFT_OUT], help="leave this package's contenders out")
    flags = parser.parse_args(arguments)
    unknown = [name for name in flags.shape if name not in SHAPES]
    if unknown:
        parser.error(f"--shape: {unknown[0]!r} is unknown; {shapes.help}")
    if flags.texts and flags.tokens:
        parser.error("--tokens is for made-up texts; leave --texts out")
    settle(flags, lambda gpu: _defaults(gpu, flags.quick))
    return flags


def _defaults(gpu: bool, quick: bool) -> dict[str, Any]:
    # a batch of 32 then holds one answer, as it does with K attributes: fewer would be padded as real work is not
    return {
        "answers": 32 if gpu else 1 if quick else 3,
        "attributes": 128 if gpu else 16 if quick else 32,
        "student_answers": 1024 if gpu else 8 if quick else 24,
        "tokens_per_batch": 65536 if gpu else 4096,
        "student_tokens": 65536 if gpu else 1024,
    }


def run_benchmark(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print and write.

    Raises:
        InputError: sentence-transformers is missing, or contenders do not compute the same.
    """
    flags = parse(arguments)
    if not flags.without and importlib.util.find_spec("sentence_transformers") is None:
        raise InputError(f"sentence-transformers is missing: {INSTALL}; or leave it out: --without {LEFT_OUT}")
    hush_transformers()
    torch.set_num_threads(flags.threads)
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


if __name__ == "__main__":
    as_program(run_benchmark)
