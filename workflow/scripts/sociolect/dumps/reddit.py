"""Dumps of Reddit: submissions and comments, one JSON object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sociolect.corpus.json_lines import once
from sociolect.dumps.markup import unescaped
from sociolect.dumps.packed import dump_lines
from sociolect.dumps.posts import Post, Rule, Unread, whole_number

__all__ = ["group_of", "json_objects", "read_forum"]

# halves of surrogate pairs, as escapes or as bytes (whole pairs of escapes, too)
_HALVES = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
_ASKED, _NOBODY = "ask", ("", "[deleted]", "[removed]")


def group_of(forum: str) -> str:
    """Group of a subreddit: its name in small letters, without a leading Ask, as those who are asked are the group."""
    name = forum.lower()
    rest = name.removeprefix(_ASKED).strip("_")
    return rest if len(rest) > 2 else name


def read_forum(path: Path) -> Iterator[Post | Unread]:
    """The submissions and comments of a file, in any order; a comment on a submission is its answer.

    Args:
        path: JSON Lines, packed or not.

    Raises:
        InputError: see `dump_lines`.
    """
    for item in json_objects(path):
        if isinstance(item, Unread):
            yield item
            continue
        line, row = item
        try:
            yield _submission(row, line) if "title" in row else _comment(row, line)
        except KeyError as error:
            yield Unread(line, f"no {error.args[0]}")


def json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]] | Unread]:
    """(line, object) of each line that is not blank, or why it is none.

    Halves of surrogate pairs, which JSON may hold and which are no text, are U+FFFD, in keys and values.
    """
    for number, line in dump_lines(path):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=once)
            if _HALVES.search(line):
                value = _whole(value)
        except (ValueError, RecursionError) as error:
            yield Unread(number, f"not JSON ({' '.join(str(error).split())})")
            continue
        yield (number, value) if isinstance(value, dict) else Unread(number, "not a JSON object")


def _whole(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _submission(row: dict[str, Any], line: int) -> Post:
    body = _text(row, "selftext") if row.get("selftext") else ""
    return Post(
        line,
        str(row["id"]),
        title=" ".join(unescaped(_text(row, "title")).split()),
        asked=body,
        group=group_of(_text(row, "subreddit")),
        # of links, whose text is elsewhere, dumps before 2008 say nothing
        dropped="" if body or row.get("is_self", True) else Rule.LINK,
        **_shared(row),
    )


def _comment(row: dict[str, Any], line: int) -> Post:
    submission, parent = str(row["link_id"]), str(row["parent_id"])
    question = submission.removeprefix("t3_")
    return Post(
        line,
        question,
        answer=f"{question}-{row['id']}",
        text=_text(row, "body"),
        group=group_of(_text(row, "subreddit")),
        dropped="" if parent == submission else Rule.NESTED,
        **_shared(row),
    )


def _text(row: dict[str, Any], key: str) -> str:
    if not isinstance(value := row[key], str):
        raise KeyError(f"text in {key}")
    return value


def _shared(row: dict[str, Any]) -> dict[str, Any]:
    name = str(row.get("author") or "")
    author = "" if name in _NOBODY else name
    return {
        "source": _text(row, "subreddit").lower(),
        "author": author,
        "name": author,
        "score": whole_number(row.get("score")),
    }
