"""What failed is named, whatever was found."""

from __future__ import annotations

import reported

from sociolect.common.schemas import CEILINGS
from sociolect.report.run_failures import failures_of
from sociolect.report.run_tables import ExperimentTables, RunTables


def test_all_that_failed_is_named() -> None:
    ceilings = [
        ("ngrams", "style", None, 9, 0.5, 0.5, 0.4, 0.6, 0.5),
        ("measured", "style", None, 9, 0.9, 0.9, 0.8, 1.0, 0.5),
        # no judge of style
        ("topic", "topic", None, 9, 0.5, 0.5, 0.4, 0.6, 0.5),
        ("measured", "style", "c", 9, 0.1, None, 0.0, 0.2, 0.5),
    ]
    choice = {"method": "all", "fluent": False, "methods": {"all": {"inside": False}, "other": {"inside": True}}}
    whole = reported.experiment()
    e = ExperimentTables(
        "main",
        comparison=reported.comparison({"condition": "steered", "n_empty": 2, "n_truncated": 3}),
        ceilings=CEILINGS.frame(ceilings),
        distances=whole.distances,
        groups=whole.groups,
        choice=choice,
    )
    metrics = {"held_out_attributes": {"all": {"f1": 0.1, "auroc": 0.51}}}
    assert failures_of(RunTables("demo", metrics=metrics), e) == (
        "On val it was best not to steer, so steered rows are the unsteered ones with strength 0; by all no setting "
        "inside both guards gained on val; hardly told apart on val (profiles.alike_below): a<b> and c; no attribute "
        "of its own: c; not shown to know even human answers of this length: judge ngrams; SFAM hardly knows "
        "attributes that it was not trained on (AUROC 0.51); of 80 texts in the eight rows 2 empty and 3 cut at the "
        "token limit."
    )


def test_where_nothing_failed_it_is_said_what_was_looked_at() -> None:
    e = ExperimentTables("main", comparison=reported.comparison())
    assert failures_of(RunTables("demo"), e).startswith("Nothing of what is looked at: choice of strength, guards")
