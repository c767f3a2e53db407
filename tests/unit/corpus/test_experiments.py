"""Groups of an experiment, and parents of groups that exist."""

from __future__ import annotations

import polars as pl
import pytest

from made_tables import planted
from sociolect.common.errors import InputError
from sociolect.corpus.experiments import check_groups, experiment_faults, groups_of, parent_faults
from sociolect.settings.base import Experiment
from sociolect.settings.corpus import GroupSettings


def test_groups_are_those_of_fit_that_are_asked() -> None:
    single, multi = planted(12), planted(6)
    assert groups_of([single], multi.filter(pl.col("group") != "law")) == ["art", "med"]
    with pytest.raises(InputError, match="art 4, law 4, med 4; in ask: art 2"):
        groups_of([single], multi.filter(pl.col("group") == "art"))


def test_the_experiment_without_two_groups_is_named() -> None:
    samples = {"single": planted(12), "askx": planted(6).filter(pl.col("group") == "art")}
    experiments = {
        "fine": Experiment(fit=("single",), ask="single"),
        "alone": Experiment(fit=("single",), ask="askx"),
        # of a split that is not given nothing is known
        "unknown": Experiment(fit=("multi",), ask="askx"),
    }
    ((name, why),) = experiment_faults(samples, experiments)
    assert name == "alone" and "two groups that are in its fit and its ask splits, but has 1; " in why
    settings = GroupSettings(experiments=experiments, group_parents={"arts": "humanities"})
    with pytest.raises(InputError) as caught:
        check_groups(samples, ["art", "law", "med"], settings)
    assert [line.partition(":")[0] for line in str(caught.value).split("; ") if line[:4] in ("grou", "expe")] == [
        "group_parents.arts",
        "experiments.alone",
    ]


def test_a_parent_of_no_group_is_named_with_the_groups() -> None:
    parents = {"art": "humanities", "arts": "humanities", "physics": "science"}
    assert list(parent_faults(parents, ["law", "art"])) == [
        ("arts", "no table has such a group; write 'art'; the groups are art, law"),
        ("physics", "no table has such a group; the groups are art, law"),
    ]
