"""What the labeling benchmark says of its measurements: rows, targets, hours for a study, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from comparing import percent, print_doubts, speed_conditions, speed_rows, target_rows, targets_table
from contenders import (
    CROSS,
    ENGINE,
    ENGINE_BF16,
    PIPELINE,
    PIPELINE_MIXED,
    STUDENT,
    STUDENT_BF16,
    TOLERANCES,
    Contender,
    K,
    is_student,
)
from measuring import Row, Turns
from sociolect.settings.sfam import DistillationSettings
from sociolect.sfam.model import SPECIAL_TOKENS
from workload import Block, Shape, pair_flop, real_cost

# nine groups with one answer per question, eleven with several, twelve with questions put to them: each its minimum
STUDY_ANSWERS = 9 * 3500 + 11 * 6000 + 12 * 130 * 3
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
    """Hours of a study's labeling by a student, by step.

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
        "student": hours(STUDY_ANSWERS, student),
    }


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
        where |= speed_conditions(mine)
        if is_student(name):
            where["note"] = f"(answer, attribute) at K = {K}; {len(block.alone)} answers a call"
        per_call = K if is_student(name) else 1
        mean_tokens = float((block.alone_lengths if is_student(name) else block.lengths).mean())
        rows += speed_rows(name, turns, baselines, "pairs/s", where)
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
    targets = [target for target in TARGETS if target[1] != PIPELINE_MIXED or PIPELINE_MIXED in turns]
    rows += target_rows(turns, targets, conditions)
    return [*rows, *extrapolated_rows(turns, shape, full, conditions, *longer)]


def extrapolated_rows(
    turns: Mapping[str, Turns],
    shape: Shape,
    full: Shape,
    conditions: Mapping[str, Any],
    longer: float = 1.0,
    longer_alone: float = 1.0,
) -> list[Row]:
    """Hours for all answers of a study and K attributes, with all layers.

    Args:
        turns: what was measured.
        shape: with the layers that were measured.
        full: with all.
        conditions: of all rows.
        longer: FLOP of a pair of the real lengths over that of a pair that was measured.
        longer_alone: the same of an answer by itself.
    """
    deeper = full.layers / shape.layers
    pairs, rows = STUDY_ANSWERS * K, []

    def add(what: str, value: float, names: Sequence[str], note: str = "") -> None:
        seconds = sum(turns[name].seconds for name in names)
        said = f"extrapolated from {seconds:.1f} seconds of measurement" + (f"; {note}" if note else "")
        if abs(longer - 1) > 0.01:
            said += f"; a real pair costs {longer:.2f} of a measured one"
        if deeper != 1:
            # an encoder that leaves out most of the last layer gains more, the fewer there are
            said += f"; only {shape.layers} of {full.layers} layers were measured: flatters this engine"
        answers = {"answers": STUDY_ANSWERS, "attributes": K}
        rows.append(
            Row(f"labeling for a study: {what}", value, "hours", conditions={**conditions, **answers, "note": said})
        )

    cross = [name for name in turns if not is_student(name)]
    for name in cross:
        add(name, deeper * longer * hours(pairs, turns[name].median), [name])
    fastest = max((ENGINE, ENGINE_BF16), key=lambda name: turns[name].median)
    labeler = max((STUDENT, STUDENT_BF16), key=lambda name: turns[name].median)
    train, student = (turns[name].median / K / longer_alone for name in (STUDENT, labeler))
    steps = student_hours(turns[fastest].median / longer, train, student)
    parts = ", ".join(f"{step} {deeper * value:.3g} h" for step, value in steps.items())
    note = f"{parts}; teacher {fastest}, all epochs in fp32, then {labeler}"
    add("student, teacher and training included", deeper * sum(steps.values()), [fastest, STUDENT, labeler], note)
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
            percent(values[f"{name}: padding", None].value),
            percent(values[f"{name}: matmul share", None].value),
            percent(speed.conditions["cores"]),
            f"{difference.value:.1e}" if difference and difference.value is not None else "-",
        )
    console.print(table)
    print_doubts(rows, console)
    peaks = [row for row in rows if row.name.startswith("matmul")]
    console.print("matmul peak: " + ", ".join(f"{row.name[8:12]} {row.value:.1f} {row.unit}" for row in peaks))
    searched = [row for row in rows if row.name.endswith(": search")]
    if searched:
        found = ", ".join(f"{row.name.split('batch ')[1].split(':')[0]}: {row.value:.3g}" for row in searched)
        console.print(f"CrossEncoder.predict, pairs/s by batch size: {found}")
    console.print(targets_table(rows))
    study = Table(f"labeling for a study: {STUDY_ANSWERS} answers x {K} attributes", "hours", "conditions")
    for row in rows:
        if row.name.startswith("labeling for a study"):
            study.add_row(row.name.split(": ", 1)[1], f"{row.value:.3g}", row.conditions["note"])
    console.print(study)
