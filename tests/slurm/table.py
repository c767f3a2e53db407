"""The table of injected causes in docs/slurm.md, written from what the tests saw."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_ROW = re.compile(
    r"^(?P<text>\*\*(?P<cause>[A-Z]+)\*\* Injected: .*?)(?=^\*\*[A-Z]+\*\* Injected: |^<!-- end)",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class CauseTable:
    """Rows (cause, how it was injected, line printed, what the workflow does by itself)."""

    rows: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def add(self, cause: str, injected: str, line: str, normally: str) -> None:
        """One row per cause."""
        self.rows[cause] = (injected, line, normally)

    def text(self, page: str = "") -> str:
        """The rows as Markdown, in the order of the letters; causes that this run did not bring about stay as the page
        has them.
        """
        parts = {found["cause"]: found["text"].rstrip() for found in _ROW.finditer(page)}
        for cause, (injected, line, normally) in self.rows.items():
            parts[cause] = f"**{cause}** Injected: {injected}.\n\n```\n{line.strip()}\n```\n\n{normally}"
        return "\n\n".join(parts[cause] for cause in sorted(parts, key=lambda cause: (len(cause), cause)))


def write_block(page: Path, name: str, text: str) -> None:
    """Put a text between the marks of this name in a page.

    Raises:
        ValueError: the page has no such marks.
    """
    begin, end = f"<!-- {name}: written by `make test-slurm ARGS=--write-docs` -->", f"<!-- end of {name} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    if not found or end not in rest:
        raise ValueError(f"{page}: no {begin} ... {end}")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}", encoding="utf-8")
