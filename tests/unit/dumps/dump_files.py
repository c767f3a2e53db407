"""Dumps written by a test, and what comes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from sociolect.dumps.importing import Imported, import_dump
from sociolect.dumps.mapped import mapping_of
from sociolect.dumps.options import ImportOptions
from sociolect.dumps.sources import KINDS_OF_DUMPS, sources_of

HEAD, END = '<?xml version="1.0" encoding="utf-8"?>\n<posts>\n', "</posts>\n"


def row(**attributes: object) -> str:
    """A line of Posts.xml."""
    shown = " ".join(f'{name}="{escape(str(value))}"' for name, value in attributes.items())
    return f"  <row {shown} />\n".replace("\n", "&#xA;", shown.count("\n"))


def question(number: int, title: str = "Why?", body: str = "<p>Say.</p>", **more: object) -> str:
    return row(Id=number, PostTypeId=1, Title=title, Body=body, **{"OwnerUserId": 1, **more})


def answer(number: int, of: int, body: str = "<p>Because.</p>", **more: object) -> str:
    return row(Id=number, PostTypeId=2, ParentId=of, Body=body, **more)


def site(folder: Path, *rows: str, name: str = "optics.stackexchange.com", head: str = HEAD, end: str = END) -> Path:
    """A site's folder with its Posts.xml."""
    path = folder / name / "Posts.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + "".join(rows) + end, encoding="utf-8")
    return path


def json_lines(path: Path, *rows: Mapping[str, Any] | str) -> Path:
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in rows), encoding="utf-8")
    return path


def made(
    kind: str,
    paths: Sequence[Path],
    out: Path,
    columns: Sequence[str] = (),
    tags: Sequence[str] | None = None,
    replace: bool = False,
    **options: Any,
) -> tuple[dict[str, list[dict[str, Any]]], Imported]:
    """Import, and the rows of each table that came out, by answer_id."""
    made = KINDS_OF_DUMPS[kind]
    chosen = ImportOptions(**{"markup": made.markup, "askx": [made.askx], "salt": "s", **options})
    imported = import_dump(
        sources_of(kind, paths, mapping_of(columns), tags), out / f"import_{kind}.json", chosen, {"kind": kind}, replace
    )
    tables = {path.stem: pl.read_parquet(path).sort("answer_id").to_dicts() for path in imported.tables}
    return tables, imported


def counts(imported: Imported) -> dict[str, int]:
    """The rules that met something -> how many posts; of all splits together."""
    return {step.rule: step.n for step in imported.steps if step.n}


def adds_up(imported: Imported) -> bool:
    """Whether every rule leaves what the one before left, less what it met."""
    left: dict[str, int] = {}
    for step in imported.steps:
        before = left.get(step.split, left.get("all", 0))
        if step.what == "read":
            before = step.n
        lost = step.n if step.what in ("out", "aside") else 0
        if step.left != before - lost or (step.what == "written" and step.n != before):
            return False
        left[step.split] = step.left
    return bool(imported.steps)
