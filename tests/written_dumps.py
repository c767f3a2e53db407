"""A corpus written as the dump of a forum, for what reads dumps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

__all__ = ["write_forum", "write_sites"]


def write_sites(answers: pl.DataFrame, folder: Path, best: frozenset[str] = frozenset()) -> list[Path]:
    """A folder with Posts.xml for each group, as Stack Exchange dumps them.

    Args:
        answers: columns of the input table; paragraphs are parted by blank lines.
        folder: in which the sites lie.
        best: ids of answers that are accepted.

    Returns:
        The sites' folders.
    """
    sites = []
    for (group,), rows in answers.group_by("group", maintain_order=True):
        path = folder / f"{group}.stackexchange.com" / "Posts.xml"
        path.parent.mkdir(parents=True)
        path.write_text(
            f'<?xml version="1.0" encoding="utf-8"?>\n<posts>\n{"".join(_posts(rows, best))}</posts>\n', "utf-8"
        )
        sites.append(path.parent)
    return sites


def _posts(answers: pl.DataFrame, best: frozenset[str]) -> list[str]:
    authors = {author: number for number, author in enumerate(answers["author"].drop_nulls().unique(), start=1)}
    lines, number = [], 0
    for _, rows in answers.group_by("question_id", maintain_order=True):
        number += 1
        asked, title = number, rows["question"][0].partition("\n\n")
        ids = {row: asked + place for place, row in enumerate(rows["answer_id"], start=1)}
        chosen = next((ids[row] for row in ids if row in best), None)
        accepted = {} if chosen is None else {"AcceptedAnswerId": chosen}
        lines.append(_row(Id=asked, PostTypeId=1, Title=title[0], Body=_html(title[2]), **accepted))
        for row in rows.iter_rows(named=True):
            number += 1
            owner = {} if row["author"] is None else {"OwnerUserId": authors[row["author"]]}
            lines.append(_row(Id=number, PostTypeId=2, ParentId=asked, Body=_html(row["answer"]), **owner))
    return lines


def _html(text: str) -> str:
    return "".join(f"<p>{escape(part)}</p>\n" for part in text.split("\n\n") if part)


def _row(**attributes: object) -> str:
    shown = " ".join(f'{name}="{escape(str(value))}"' for name, value in attributes.items())
    return f"  <row {shown} />".replace("\n", "&#xA;") + "\n"


def write_forum(answers: pl.DataFrame, path: Path, best: frozenset[str] = frozenset()) -> list[Path]:
    """Submissions and comments as those who keep Reddit's dumps write them; each group is the subreddit Ask<group>."""
    lines: list[Mapping[str, Any]] = []
    for (question,), rows in answers.group_by("question_id", maintain_order=True):
        title, _, body = rows["question"][0].partition("\n\n")
        shared = {"subreddit": f"Ask{rows['group'][0]}"}
        lines.append({**shared, "id": question, "title": title, "selftext": body, "author": "asker"})
        for row in rows.iter_rows(named=True):
            of = {"id": row["answer_id"], "link_id": f"t3_{question}", "parent_id": f"t3_{question}"}
            said = {
                "body": row["answer"],
                "author": row["author"] or "[deleted]",
                "score": int(row["answer_id"] in best),
            }
            lines.append({**shared, **of, **said})
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    return [path]
