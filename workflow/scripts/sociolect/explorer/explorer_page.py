"""The page, with all that it shows inside: data as JSON that no text of them can leave."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
from markupsafe import Markup

from sociolect.explorer.data import LEAST, MOVES
from sociolect.explorer.pointed import pointed_attributes
from sociolect.explorer.votes import FIGURES

__all__ = ["explorer_page", "script_json"]


def explorer_page(
    page: jinja2.Template,
    run: str,
    attributes: Sequence[str],
    experiments: Sequence[Mapping[str, Any]],
    confidence: float,
) -> str:
    """The page as text.

    Args:
        page: its template.
        run: name of the run.
        attributes: names in the order of style vectors.
        experiments: of `experiment_data`, in the order of the page.
        confidence: level of the intervals.
    """
    shared = {
        "run": run,
        "attributes": list(attributes),
        "pointed": sorted(pointed_attributes(attributes)),
        "figures": list(FIGURES),
        "least": LEAST,
        "moves": MOVES,
    }
    return page.render(
        run=run,
        shared=script_json(shared),
        experiments=[(experiment["name"], script_json(experiment)) for experiment in experiments],
        confidence=f"{100 * confidence:g}",
    )


def script_json(value: object) -> Markup:
    """JSON for a script element: without `<`, no text in it can end the element or open a comment.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))
