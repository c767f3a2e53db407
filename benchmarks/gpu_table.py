"""The section "GPUs" of docs/benchmarks.md, written from the rows of gpu.py."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparing import percent
from measuring import ROOT, Row
from sociolect.common.errors import InputError
from sociolect.common.files import write_text

__all__ = ["table_of", "write_docs"]

DOCS = ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- gpus: written by `python benchmarks/gpu.py --write-docs FILE.json` -->"
END = "<!-- end of gpus -->"
SPEED = ": speed"


def write_docs(rows: Sequence[Row], page: Path = DOCS) -> None:
    """Put the table between the markers of the page.

    Raises:
        InputError: there are no rows, or the page has no markers.
    """
    if not rows:
        raise InputError("no rows: give the file that benchmarks/gpu.sh --json FILE wrote")
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise InputError(f"{page}: needs the lines {BEGIN} and {END}, once each")
    block = f"{BEGIN}\n{table_of(rows)}\n{END}"
    write_text(re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: block, text, flags=re.DOTALL), page)


def table_of(rows: Sequence[Row]) -> str:
    """Markdown of all parts: the machine in words, then a table of checks and one of speeds per part."""
    first = rows[0].conditions
    said = [str(first.get("gpu") or first.get("cpu")), f"driver {first['driver']}" if first.get("driver") else ""]
    said += [
        f"{name} {first[name]}"
        for name in ("torch", "transformers", "sentence-transformers", "triton")
        if name in first
    ]
    lines = [", ".join(filter(None, [*said, str(first.get("date", ""))])) + "."]
    peaks = [f"{row.name.split(':')[0]} {row.value:.4g} {row.unit}" for row in rows if _of_machine(row)]
    lines += ["", f"Measured peaks: {', '.join(peaks)}."] if peaks else []
    for part in dict.fromkeys(str(row.conditions["part"]) for row in rows):
        lines += _part(part, [row for row in rows if row.conditions["part"] == part])
    return "\n".join(lines)


def _of_machine(row: Row) -> bool:
    return row.name.endswith((": peak", ": bandwidth")) and row.value is not None


def _part(part: str, rows: Sequence[Row]) -> list[str]:
    state = next((row for row in rows if row.name.startswith("part: ")), None)
    lines = []
    if state is not None and state.conditions.get("status") != "done":
        lines += ["", f"**{part}**: {state.conditions.get('status')}, {state.conditions.get('note', '')}"]
    speeds = [row for row in rows if row.name.endswith(SPEED) and row.baseline is None]
    checks = [row for row in rows if "met" in row.conditions or row.name.endswith(": score difference")]
    if checks:
        lines += ["", f"**{part}**, checks", "", "| what | found | limit | |", "| --- | ---: | ---: | --- |"]
        lines += [_check(row) for row in checks]
    if speeds:
        lines += ["", f"**{part}**: {_work(speeds)}", ""]
        lines += _speeds(speeds, rows)
    floors = [row for row in rows if row.name == "step floor" and row.value is not None]
    lines += [f"\nStep floor, {row.conditions['note']}: {row.value:.3g} ms." for row in floors]
    return lines


def _check(row: Row) -> str:
    where: Mapping[str, Any] = row.conditions
    limit = (
        f"≤ {where['allowed']:.2g}" if "allowed" in where else f"≥ {where['needed']:.2g}" if "needed" in where else ""
    )
    met = {True: "met", False: "**not met**"}.get(where.get("met"), "")  # type: ignore[arg-type]
    return f"| {row.name} | {_number(row.value)} | {limit} | {met} |"


def _work(speeds: Sequence[Row]) -> str:
    where = next((row.conditions for row in speeds if row.value is not None), speeds[0].conditions)
    keys = (
        "shape",
        "dtype",
        "pairs",
        "answers",
        "outputs",
        "requests",
        "tokens_per_pair",
        "prompt_tokens",
        "new_tokens",
    )
    shown = [str(where["shape"])] if "shape" in where else []
    return "; ".join([*shown, *(f"{key.replace('_', ' ')} {where[key]}" for key in keys[1:] if key in where)])


def _speeds(speeds: Sequence[Row], rows: Sequence[Row]) -> list[str]:
    """A row per contender: speed, range, ratios, share of what the machine can do."""
    found = {(row.name, row.baseline): row for row in rows}
    baselines = list(dict.fromkeys(row.baseline for row in rows if row.name.endswith(SPEED) and row.baseline))
    heads = ["contender", next((row.unit for row in speeds), ""), "min - max", *(f"x {name}" for name in baselines)]
    lines = [f"| {' | '.join([*heads, 'share'])} |", f"| --- {'| ---: ' * len(heads)}|"]
    for row in speeds:
        name = row.name.removesuffix(SPEED)
        if row.value is None:
            lines.append(f"| {name} | {row.conditions.get('note', '-')} |{' |' * (len(heads) - 1)}")
            continue
        ratios = [found.get((row.name, baseline)) for baseline in baselines]
        shares = [found.get((f"{name}: {what}", None)) for what in ("matmul share", "floor share", "busy share")]
        share = next((percent(row.value) for row in shares if row is not None), "-")
        cells = [_number(row.value), f"{_number(row.conditions['min'])} - {_number(row.conditions['max'])}"]
        cells += ["-" if ratio is None else f"{ratio.ratio:.2f}" for ratio in ratios]
        lines.append(f"| {' | '.join([name, *cells, share])} |")
    return lines


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
