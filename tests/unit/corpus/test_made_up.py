"""The made-up corpus: planted rates, what is independent of what, and the parts that nobody leaves."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2_contingency

from sociolect.corpus.demo.made_up import AUTHOR_CONCENTRATION, DemoCorpus, make_demo_corpus
from sociolect.corpus.demo.prose import MAX_WORDS, MIN_WORDS, TOPICS
from sociolect.corpus.demo.truth import ATTRIBUTES, GROUPS
from sociolect.settings.corpus import DemoSettings
from sociolect.stylometry.stylometry import describe, fit_thresholds


@pytest.fixture(scope="module")
def corpus() -> DemoCorpus:
    return make_demo_corpus(DemoSettings(), seed=1)


def test_usage_follows_the_truth(corpus: DemoCorpus) -> None:
    answers = pl.concat(list(corpus.frames.values())).join(corpus.planted, on="answer_id")
    for group in GROUPS:
        has = answers.filter(pl.col("group") == group)["attributes"].to_list()
        # Answers of one author are alike: the design effect 1 + (m - 1) / (k + 1) for about 6 answers each.
        spread = 1 + 5 / (AUTHOR_CONCENTRATION + 1)
        for row in corpus.truth.filter(pl.col("group") == group).iter_rows(named=True):
            found = np.mean([row["attribute"] in h for h in has])
            error = np.sqrt(row["rate"] * (1 - row["rate"]) / len(has) * spread)
            assert abs(found - row["rate"]) < 4 * error, (group, row["attribute"], found, row["rate"])


def test_the_describer_finds_exactly_what_was_planted(corpus: DemoCorpus) -> None:
    frame = corpus.frames["single"].join(corpus.planted, on="answer_id").head(1500)
    answers = frame["answer"].to_list()
    described = describe(answers, fit_thresholds(answers, 0.95))
    for text, found, planted in zip(answers, described, frame["attributes"].to_list(), strict=True):
        assert set(found) & set(ATTRIBUTES) == set(planted), text


def test_topics_do_not_depend_on_groups(corpus: DemoCorpus) -> None:
    answers = pl.concat(list(corpus.frames.values())).unique("question_id").join(corpus.topics, on="question_id")
    table = answers.pivot("group", index="topic", values="answer_id", aggregate_function="len").drop("topic")
    assert table.shape == (len(TOPICS), len(GROUPS))
    assert chi2_contingency(table.to_numpy()).pvalue > 0.001


def test_sizes_columns_and_vocabulary(corpus: DemoCorpus) -> None:
    settings = DemoSettings()
    columns = ["question_id", "question", "answer_id", "answer", "author", "group"]
    expected = {
        "single": settings.answers_per_group,
        "multi": settings.multi_answers_per_group,
        "askx": settings.askx_questions_per_group * settings.answers_per_question,
    }
    for split, frame in corpus.frames.items():
        assert frame.columns == columns and frame["answer_id"].is_unique().all()
        assert set(frame["group"].value_counts()["count"]) == {expected[split]}
        words = [len(answer.split()) for answer in frame["answer"]]
        assert min(words) >= MIN_WORDS and np.quantile(words, 0.999) <= MAX_WORDS
    assert corpus.frames["single"]["question_id"].is_unique().all()
    assert set(corpus.frames["multi"].group_by("question_id").len()["len"]) == {settings.answers_per_question}
    assert corpus.frames["askx"].group_by("question_id").agg(pl.col("group").n_unique())["group"].max() == 1
    authors = pl.concat(list(corpus.frames.values())).drop_nulls("author")
    assert authors.group_by("author").agg(pl.col("group").n_unique())["group"].max() == 1
    assert authors.height < sum(f.height for f in corpus.frames.values())


def test_components_of_questions_and_authors_stay_small(corpus: DemoCorpus) -> None:
    answers = pl.concat(list(corpus.frames.values())).drop_nulls("author")
    circle = answers.with_columns(pl.col("author").str.split("-").list.get(1).alias("circle"))
    assert circle.group_by("question_id").agg(pl.col("circle").n_unique())["circle"].max() == 1
    assert circle.group_by("circle").len()["len"].max() < 0.03 * answers.height  # type: ignore[operator]


def test_same_seed_same_corpus_other_seed_another() -> None:
    small = DemoSettings(answers_per_group=6, multi_answers_per_group=4, askx_questions_per_group=2)
    first, again, other = (make_demo_corpus(small, seed) for seed in (1, 1, 2))
    for split, frame in first.frames.items():
        assert frame.equals(again.frames[split])
        assert not frame.equals(other.frames[split])
