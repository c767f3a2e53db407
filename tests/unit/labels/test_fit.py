"""Which groups and answers an experiment is fitted on."""

from itertools import pairwise

import polars as pl
import pytest

from made_tables import planted
from sociolect.common.errors import InputError
from sociolect.labels.fit import groups_of, join_labels, stack_splits


def test_experiment_groups_and_answers_in_two_splits() -> None:
    single, multi = planted(12), planted(6).with_columns(pl.lit("multi").alias("split"))
    assert groups_of([single], multi.filter(pl.col("group") != "law")) == ["art", "med"]
    with pytest.raises(InputError, match="art 4, law 4, med 4; in ask: art 2"):
        groups_of([single], multi.filter(pl.col("group") == "art"))
    both = stack_splits([multi, single], ["art", "med"])
    assert both["split"].to_list() == ["multi"] * 4 + ["single"] * 4
    assert all(a < b for part in (both[:4], both[4:]) for a, b in pairwise(part["answer_id"]))
    with pytest.raises(InputError, match="split single: 2 answers have no style vector, such as 'a0010'"):
        join_labels(single.drop("style", "split"), single[:10].select("answer_id", "style"), "single")
