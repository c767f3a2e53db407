"""The list of what is left out, by hand."""

from __future__ import annotations

import polars as pl
from raw_tables import ANY_LENGTH, table

from sociolect.common.schemas import LEFT_OUT
from sociolect.corpus.cleaning import clean_corpus
from sociolect.corpus.groups import sample_groups
from sociolect.corpus.left_out import list_left_out, shown_left_out
from sociolect.settings.base import Experiment
from sociolect.settings.corpus import SamplingSettings


def answers(group: str, n: int, author: str | None = None, split: str = "") -> list[tuple[object, ...]]:
    known = [f"{group}{i}" for i in range(n)]
    return [(f"q{name}", f"Q {name}?", split + name, f"Text {name}.", author, group) for name in known]


WHOLE = {"min_part": 1, "parts": {"train": 0.5, "val": 0.25, "test": 0.25}, "max_component_share": 1}


def test_every_loss_by_hand() -> None:
    rows = [*answers("a", 10), *answers("b", 8), *answers("c", 4), *answers("d", 8)]
    # one author of a fifth and more of b, an unknown one, an empty answer, a duplicate, a blank row
    rows[10:12] = [(*row[:4], "u", row[5]) for row in rows[10:12]]
    rows += [("z", "Q z?", "z1", "", "NA", "a"), ("z", "Q z?", "z2", "Text a0.", None, "a"), ("",) * 4 + (None, "")]
    raw = {"single": table(*rows), "multi": table(*answers("a", 8, split="m"), *answers("b", 8, split="m"))}
    raw["multi"] = pl.concat([raw["multi"], table(*answers("e", 8, split="m"))])
    cleaned = {split: clean_corpus(frame, split, ANY_LENGTH, split) for split, frame in raw.items()}
    corpora = {split: pair[0] for split, pair in cleaned.items()}
    settings = SamplingSettings.model_validate({"minimum": {"single": 8, "multi": 8}, **WHOLE})
    samples, sampling = sample_groups(corpora, settings, 0)
    experiment = Experiment(fit=("single",), ask="multi")
    funnels = {split: pair[1] for split, pair in cleaned.items()}
    left_out = list_left_out(corpora, funnels, samples, sampling, {"main": experiment})
    assert left_out.columns == list(LEFT_OUT.columns)
    assert shown_left_out(left_out) == [
        "split single: blank rows: 1 answers",
        "split single: unknown authors by name (corpus.missing_values), taken for different people: 1 answers",
        "split single: left out: empty: 1 answers",
        "split single: left out: duplicate in its group: 1 answers",
        "split single: one author, 'u', wrote more than 0.2 of the group: 2 answers (b)",
        "split single: group left out: below sampling.minimum: 4 answers (c)",
        "split single: not drawn: more than a part takes of sampling.per_group: 2 answers (a)",
        "experiment main: group left out: in single but not in multi, which is asked: 8 answers (d)",
        "experiment main: group left out: in multi, which is asked, but not in single: 8 answers (e)",
    ]


def test_nothing_lost_says_nothing() -> None:
    raw = table(*answers("a", 8), *answers("b", 8))
    corpus, funnel = clean_corpus(raw, "single", ANY_LENGTH, "t")
    settings = SamplingSettings.model_validate({"minimum": {"single": 8}, **WHOLE})
    samples, sampling = sample_groups({"single": corpus}, settings, 0)
    experiment = Experiment(fit=("single",), ask="single")
    left_out = list_left_out({"single": corpus}, {"single": funnel}, samples, sampling, {"main": experiment})
    assert left_out.is_empty() and shown_left_out(left_out) == []


def test_many_groups_are_counted() -> None:
    rows = [("split single", f"g{i}", "group left out", 2) for i in range(6)]
    frame = LEFT_OUT.frame([dict(zip(LEFT_OUT.columns, row, strict=True)) for row in rows])
    assert shown_left_out(frame) == ["split single: group left out: 12 answers (g0, g1, g2, g3 and 2 more)"]
