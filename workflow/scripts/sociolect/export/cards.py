"""Cards and programs of an export, from their templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from sociolect.common.artifacts import Vector
from sociolect.evaluation.renderings import pipes
from sociolect.export.dataset_tables import Part

__all__ = ["dataset_card", "render"]


def render(template: Path, **values: Any) -> str:
    """A template filled; Markdown and programs, so that nothing is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template.name).render(**values)


def dataset_card(template: Path, parts: list[Part], run: str, with_texts: bool) -> str:
    """README.md of the dataset folder, with the columns of every table."""
    shown = [
        {
            "name": part.name,
            "frames": part.frames,
            "sizes": ", ".join(f"`{name}`: {frame.height} rows" for name, frame in part.frames.items()) + ".",
            "columns": pipes(("column", "type", "meaning", "unit"), _columns(part)),
        }
        for part in parts
    ]
    width = next(iter(parts[0].frames.values()))["style"].dtype.shape[0]  # type: ignore[attr-defined]
    return render(template, parts=shown, run=run, with_texts=with_texts, width=width)


def _columns(part: Part) -> list[list[str]]:
    return [
        [f"`{name}`", "vector" if isinstance(c.dtype, Vector) else str(c.dtype), c.meaning, c.unit]
        for name, c in part.schema.columns.items()
    ]
