"""HTML pages: Jinja2 templates in which all text is escaped, and the tables that they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from jinja2 import meta

from sociolect.common.errors import InputError

__all__ = ["HtmlTable", "read_page"]


@dataclass(frozen=True)
class HtmlTable:
    """Header and rows as text; the first cell of a row is its heading, and a line is drawn above row `line`."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    line: int | None = None


def read_page(paths: Sequence[Path]) -> jinja2.Template:
    """The first of these templates; the others are what it imports, by file name.

    Raises:
        InputError: a file is missing, or is no template.
    """
    try:
        texts = {path.name: path.read_text(encoding="utf-8") for path in paths}
        environment = jinja2.Environment(
            loader=jinja2.DictLoader(texts),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        for name, text in texts.items():
            missing = set(meta.find_referenced_templates(environment.parse(text, name))) - set(texts)
            if missing:
                raise InputError(f"--template: {name} imports {sorted(map(str, missing))[0]}; give its file, too")
        return environment.get_template(paths[0].name)
    except (OSError, IndexError) as error:
        raise InputError(f"--template: {error}; give the page first, then the templates that it imports") from error
    except jinja2.TemplateSyntaxError as error:
        raise InputError(f"{error.name}, line {error.lineno}: {error.message}") from error
