"""One post: left out by a rule, or a row with its text cleaned and its author hashed."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatchcase
from typing import Any

from sociolect.dumps.markup import KINDS
from sociolect.dumps.options import ImportOptions
from sociolect.dumps.personal import author_id, is_bot, mask
from sociolect.dumps.posts import Post, Rule

__all__ = ["ANSWERS", "QUESTIONS", "clean_post"]

QUESTIONS, ANSWERS = "questions, which go with their answers", "answers"
# what a site puts in the place of a text, with a link in it or not: one pair of brackets around all of it
_DELETED = re.compile(r"\[\s*(?:deleted|removed)\b(?:[^\[\]]|\[[^\[\]]*\]){0,120}\]", re.IGNORECASE)


def clean_post(post: Post, options: ImportOptions, masked: Counter[str]) -> tuple[dict[str, Any] | None, str]:
    """The row of a post (keys of POSTS but for place and order), and the rule that it met.

    Args:
        post: as a reader gives it.
        options: what is left out, masked and renamed.
        masked: kind -> how many were masked; counted on.

    Returns:
        None and why it is left out; or the row, and whether it is among QUESTIONS or ANSWERS.
    """
    group = None if post.group is None else options.rename.get(post.group, post.group)
    if why := _why_out(post, group, options):
        return None, why
    asked = None if post.asked is None else _joined(post.title, KINDS[options.markup](post.asked, options.without))
    text = None if post.text is None else KINDS[options.markup](post.text, options.without)
    if "" in (asked, text):
        return None, Rule.EMPTY
    row = {
        "question": post.question,
        "answer": post.answer,
        "asked": _masked(asked, options, masked),
        "text": _masked(text, options, masked),
        "group": group,
        "askx": any(fnmatchcase(post.source, pattern) for pattern in options.askx),
        "author": author_id(post.author, options.salt),
        "score": post.score,
        "best": post.best,
        "table": post.table,
    }
    return row, ANSWERS if post.answer else QUESTIONS


def _why_out(post: Post, group: str | None, options: ImportOptions) -> str:
    if post.dropped:
        return post.dropped
    if group is not None and options.groups and group not in options.groups:
        return Rule.OTHER_GROUP
    # of a post that was a title alone, the title is what was taken away
    asked = (post.asked or "").strip() or post.title.strip()
    if any(_DELETED.fullmatch(text) for text in (asked, (post.text or "").strip())):
        return Rule.DELETED
    return Rule.BOT if is_bot(post.name) else ""


def _joined(title: str, body: str) -> str:
    return "\n\n".join(part for part in (title.strip(), body) if part)


def _masked(text: str | None, options: ImportOptions, masked: Counter[str]) -> str | None:
    if text is None:
        return None
    said, found = mask(text, options.masks)
    masked.update(found)
    return said
