"""Groups of an experiment, and parents of groups that exist."""

from __future__ import annotations

import polars as pl
import pytest

from made_tables import planted
from sociolect.common.errors import InputError
from sociolect.corpus.experiments import check_experiments, check_parents, groups_of
from sociolect.settings.base import Experiment


def test_groups_are_those_of_fit_that_are_asked() -> None:
    single, multi = planted(12), planted(6)
    assert groups_of([single], multi.filter(pl.col("group") != "law")) == ["art", "med"]
    with pytest.raises(InputError, match="art 4, law 4, med 4; in ask: art 2"):
        groups_of([single], multi.filter(pl.col("group") == "art"))


def test_the_experiment_without_two_groups_is_named() -> None:
    samples = {"single": planted(12), "askx": planted(6).filter(pl.col("group") == "art")}
    fine, alone = Experiment(fit=("single",), ask="single"), Experiment(fit=("single",), ask="askx")
    check_experiments(samples, {"fine": fine})
    with pytest.raises(InputError, match=r"^experiments\.alone: an experiment needs two groups .*in ask: art 2"):
        check_experiments(samples, {"fine": fine, "alone": alone})


def test_a_parent_of_no_group_is_refused_with_the_groups() -> None:
    check_parents({"art": "humanities"}, ["art", "law"])
    with pytest.raises(InputError, match=r"group_parents\.arts: no table .*write 'art'; the groups are art, law"):
        check_parents({"art": "humanities", "arts": "humanities"}, ["law", "art"])
    with pytest.raises(InputError, match=r"group_parents\.physics: .*group; the groups are art, law"):
        check_parents({"physics": "science"}, ["law", "art"])
