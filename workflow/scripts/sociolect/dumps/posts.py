"""What every reader of a dump gives: posts, and the lines that it could not read."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Post", "Rule", "Unread", "whole_number"]


class Rule:
    """Why a post is left out, in the words of the funnel."""

    UNREAD = "line cannot be read"
    OTHER_KIND = "neither question nor answer"
    NESTED = "reply to an answer"
    LINK = "link without a text"
    OTHER_GROUP = "of another group"
    TWO_GROUPS = "of two groups at once"
    DELETED = "deleted or removed"
    BOT = "written by a bot"
    EMPTY = "no text is left"
    ORPHAN = "its question is not there, or left out"
    TWICE = "there twice"
    SAME_ID = "another answer has its id"
    TWO_TEXTS = "its question has two texts"
    # leaves nothing out
    UNKNOWN = "answers of unknown authors"

    # in the order of use
    READING = (UNREAD, OTHER_KIND, NESTED, LINK, OTHER_GROUP, TWO_GROUPS, DELETED, BOT, EMPTY)
    JOINING = (ORPHAN, TWICE, SAME_ID, TWO_TEXTS)


@dataclass(frozen=True, slots=True)
class Post:
    """A question, an answer, or both in one row; no text in it has halves of surrogate pairs.

    Args:
        line: of the file, or row of a table.
        question: id of the question.
        title: of the question, without markup.
        asked: body of the question; None in an answer.
        answer: id of the answer, which has that of its question in it or is no other one's; None in a question.
        text: of the answer; None in a question.
        group: of who answers; None in an answer that does not say: that of the question.
        source: the site or forum, which says whether the question is put to a group.
        author: what tells the author from others; empty where unknown.
        name: of the author, where it is known.
        score: votes.
        best: id of the answer that was accepted.
        table: the file, where ids may be those of another file too; empty where they are of one over all files.
        dropped: why the reader leaves it out; empty where it does not.
    """

    line: int
    question: str = ""
    title: str = ""
    asked: str | None = None
    answer: str | None = None
    text: str | None = None
    group: str | None = None
    source: str = ""
    author: str = ""
    name: str = ""
    score: int = 0
    best: str | None = None
    table: str = ""
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that holds no post, and why."""

    line: int
    why: str


def whole_number(value: object) -> int:
    """A score as dumps write it; 0 where there is none, or none that can be."""
    try:
        number = int(float(str(value)))
    except (ValueError, OverflowError):
        return 0
    return number if abs(number) < 2**53 else 0
