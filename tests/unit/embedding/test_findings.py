"""Sentences about topic and stability."""

from __future__ import annotations

from typing import Any

from sociolect.common.schemas import STABILITY, TOPIC
from sociolect.embedding.findings import needed, stability_sentences, topic_sentences


def test_a_model_keeps_its_share_may_be_topic_or_is_not_known() -> None:
    rows: list[dict[str, Any]] = [
        {"model": "net", "kept": 0.816, "kept_low": 0.75, "kept_high": 0.88, "may_be_topic": False},
        {"model": "tfidf", "kept": 0.5, "kept_low": 0.4, "kept_high": 0.61, "may_be_topic": True},
        {"model": "flat", "note": "its plain accuracy is not above chance"},
    ]
    common: dict[str, Any] = dict.fromkeys(TOPIC.columns) | {"kind": "model", "n": 1, "n_shared": 0, "n_clusters": 2}
    assert topic_sentences(TOPIC.frame([common | row for row in rows])) == [
        "net keeps 0.82 [0.75, 0.88] of its accuracy above chance on unseen topics.",
        "tfidf keeps 0.50 [0.40, 0.61] of its accuracy above chance on unseen topics: it may be topic.",
        "flat: what it keeps on unseen topics is not known: its plain accuracy is not above chance.",
    ]


def test_what_the_questions_alone_tell_says_how_far_topic_is_held_still() -> None:
    common: dict[str, Any] = dict.fromkeys(TOPIC.columns) | {"model": "question", "kind": "probe", "n": 1}
    common |= {"n_shared": 0, "n_clusters": 2}

    def said(**row: float) -> str:
        return topic_sentences(TOPIC.frame([common | row]))[0]

    assert said(plain=0.95, unseen=0.6, kept=0.2).endswith("to 0.95, on unseen topics to 0.60: so far do these "
                                                           "shares hold topic still.")  # fmt: skip
    assert "only in part" in said(plain=0.95, unseen=0.9, kept=0.9)
    # an interval that chance lies in shows nothing, neither topic nor that there is none
    unknown = said(plain=0.62, plain_low=0.49, plain_high=0.74, unseen=0.5)
    assert unknown.startswith("The questions alone are not shown to tell the groups (0.62 [0.49, 0.74]): how much")


def test_the_smallest_size_within_bounds_or_more_than_there_are() -> None:
    rows = [
        ("median", "authors", None, 5, False, 0.4, 0.5, False),
        ("median", "authors", None, 8, False, 0.2, 0.3, False),
        # the bootstrap of all groups, some of which have more than 8
        ("median", "authors", None, 8, True, 0.1, 0.3, True),
        ("median", "authors", "g", 8, True, 0.05, 0.1, True),
        ("median", "answers", None, 50, False, 0.1, 0.2, True),
        ("median", "answers", None, 90, False, 0.05, 0.1, True),
    ]
    table = STABILITY.frame(rows)
    assert needed(table, "median", "authors") == (None, 8) and needed(table, "median", "authors", "g") == (8, 8)
    assert stability_sentences(table, 0.1) == [
        "By median, a group needs more than 8 authors or 50 answers for its embedding to lie within 0.1 of the "
        "distance to the next group's."
    ]
