"""Commands in a manual and what they print: read out of its fenced blocks, and compared with what they really print.

A block that begins with ```console holds commands, behind `$ `, each with its output below. A line `...` stands for any
lines, or none. In a block that begins with ```console numbers-vary every number, and the blanks and dashes that fill a
table's columns to the width of its numbers, may be others, and a number with its interval may be `n/a`; nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Step", "documented_steps", "unlike"]

_BLOCK = re.compile(r"^```console(?P<varies> numbers-vary)?\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
ANY = "..."


@dataclass(frozen=True)
class Step:
    """A command, the lines that it is said to print, and whether numbers in them may be others."""

    command: str
    output: tuple[str, ...]
    varies: bool


def documented_steps(page: Path) -> list[Step]:
    """The commands of a page, in its order."""
    steps = []
    for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            lines = tuple(line.rstrip() for line in output.splitlines())
            # a blank line before the next command is none of the output
            steps.append(Step(command, tuple(_stripped(lines)), bool(block["varies"])))
    return steps


def unlike(step: Step, printed: str, varies: bool | None = None) -> str:
    """What is printed and not said, or said and not printed: the first line, or an empty text where all is as said.

    Args:
        step: of the manual.
        printed: by the command.
        varies: whether numbers may be others; None: as the manual has it.
    """
    loose = step.varies if varies is None else varies
    real = [_same(line.rstrip(), loose) for line in _stripped(printed.splitlines())]
    at = 0
    said = list(step.output)
    for place, line in enumerate(said):
        if line == ANY:
            continue
        wanted = _same(line, loose)
        if place and said[place - 1] == ANY:
            later = [number for number, found in enumerate(real) if number >= at and found == wanted]
            if not later:
                return f"$ {step.command}\nis said to print\n{line}\nand does not, in its lines\n" + "\n".join(
                    real[at:]
                )
            at = later[0]
        elif at >= len(real) or real[at] != wanted:
            found = real[at] if at < len(real) else "(nothing more)"
            return f"$ {step.command}\nis said to print\n{line}\nand prints\n{found}"
        at += 1
    if at < len(real) and (not said or said[-1] != ANY):
        return f"$ {step.command}\nprints, and is not said to\n{real[at]}"
    return ""


def _same(line: str, loose: bool) -> str:
    if not loose:
        return line
    numbers = re.sub(r"(?<![A-Za-z])[-+]?\d[\d.,:]*(?:e-?\d+)?", "0", line)
    blank = re.sub(r" ?-{2,} ?", "--", re.sub(r"\s+", " ", numbers)).strip()
    return blank.replace("0 [0 0]", "0").replace("| n/a", "| 0")


def _stripped(lines: Sequence[str]) -> Sequence[str]:
    found = list(lines)
    while found and not found[-1].strip():
        found.pop()
    return found
