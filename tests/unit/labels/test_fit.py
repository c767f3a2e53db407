"""Which groups and answers an experiment is fitted on."""

from itertools import pairwise

import polars as pl
import pytest

from made_tables import planted
from sociolect.common.errors import InputError
from sociolect.labels.fit import join_labels, labeled_answers, refuse_overlap, stack_splits


def test_answers_in_two_splits_are_kept_once() -> None:
    single, multi = planted(12), planted(6).with_columns(pl.lit("multi").alias("split"))
    both = stack_splits([multi, single], ["art", "med"])
    assert both["split"].to_list() == ["multi"] * 4 + ["single"] * 4
    assert all(a < b for part in (both[:4], both[4:]) for a, b in pairwise(part["answer_id"]))
    with pytest.raises(InputError, match="split single: 2 answers have no style vector, such as 'a0010'"):
        join_labels(single.drop("style", "split"), single[:10].select("answer_id", "style"), "single")


@pytest.mark.parametrize(("column", "named"), [("author", "author 'u0000'"), ("question_id", "question 'q0000'")])
def test_a_planted_author_or_question_on_both_sides_is_refused(column: str, named: str) -> None:
    message = rf"{named} is in the parts train \(answer 'a0000'\) and val \(answer 'a0006'\); 1 such"
    frame = planted(24)
    assert (frame["part"][0], frame["part"][6]) == ("train", "val")
    moved = pl.when(pl.col("answer_id") == "a0006").then(pl.lit(frame[column][0])).otherwise(pl.col(column))
    torn = frame.with_columns(moved.alias(column))
    labels = {"single": frame.select("answer_id", "style")}
    with pytest.raises(InputError, match=message):
        labeled_answers({"single": torn.drop("style", "split")}, labels, frame)
    # also where the other side is only asked
    alone = {"single": frame.drop("style", "split").filter(pl.col("answer_id") != "a0006")}
    with pytest.raises(InputError, match=message):
        labeled_answers(alone, labels, torn)
    assert labeled_answers({"single": frame.drop("style", "split")}, labels, frame).height == 24


def test_unknown_authors_join_no_parts() -> None:
    frame = planted(24).with_columns(author=pl.lit(None, pl.String))
    refuse_overlap([frame, frame])
