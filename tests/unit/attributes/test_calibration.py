"""Calibrated measures against what the describer says."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sociolect.attributes.calibration import calibration_table, read_calibration
from sociolect.attributes.catalogue import build_catalogue
from sociolect.attributes.measured import describe_by_measures
from sociolect.attributes.parsing import sentence_table
from sociolect.attributes.said import attributes_of_answers
from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import CALIBRATION
from sociolect.settings.attributes import CatalogueSettings, DescriptionSettings
from sociolect.stylometry.features import INDEX
from sociolect.stylometry.stylometry import fit_thresholds, measure_texts

TEXT = "the cat we never perhaps ran quickly! (no) I don't 12 of, and in; will you? Please go... very BIG nations"
WORDS = TEXT.split()


@pytest.fixture(scope="module")
def described() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Answers of random words, and what the describer said of them."""
    rng = np.random.default_rng(8)
    texts = [" ".join(rng.choice(WORDS, rng.integers(3, 40))) for _ in range(300)]
    answers = pl.DataFrame(
        {
            "answer_id": [f"a{i:03d}" for i in range(300)],
            "split": ["single"] * 300,
            "group": ["g"] * 300,
            "author": [f"u{i}" for i in range(300)],
            "part": ["train", "train", "val"] * 100,
            "answer": texts,
        }
    )
    return answers, sentence_table(
        answers, describe_by_measures(answers, DescriptionSettings(quantile=0.7)), "stylometry"
    )


def style(answers: pl.DataFrame, sentences: pl.DataFrame, catalogue: pl.DataFrame) -> np.ndarray:
    train = answers.filter(pl.col("part") == "train")["answer"].to_list()
    table = calibration_table(measure_texts(train), INDEX, fit_thresholds(train, 0.7), sentences, catalogue)
    check_table(table, CALIBRATION, "calibration")
    calibration = read_calibration(table, catalogue["attribute_id"].to_list())
    return calibration.style_vectors(measure_texts(answers["answer"].to_list()), INDEX)


# 0.3 merges attributes that share most letters: their curves share a column
@pytest.mark.parametrize("near_duplicate", [0.8, 0.3])
def test_a_score_is_at_least_half_exactly_where_the_describer_says_the_attribute(
    described: tuple[pl.DataFrame, pl.DataFrame], near_duplicate: float
) -> None:
    answers, sentences = described
    settings = CatalogueSettings(min_share=0.02, max_share=1.0, near_duplicate=near_duplicate)
    catalogue, funnel = build_catalogue(sentences, settings)
    merged = funnel.filter(pl.col("rule") == "near_duplicate")["n_rejected"][0]
    assert (merged > 0) == (near_duplicate == 0.3)
    scores = style(answers, sentences, catalogue)
    said = attributes_of_answers(sentences, catalogue)
    assert said["answer_id"].to_list() == answers["answer_id"].to_list()
    wanted = [[a in own for a in catalogue["attribute_id"]] for own in said["attributes"].to_list()]
    assert ((scores >= 0.5) == np.array(wanted)).all()
    assert 0.05 < np.mean(wanted) < 0.6 and len(np.unique(scores)) > 100


def test_a_text_without_a_word_scores_nothing(described: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    answers, sentences = described
    catalogue, _ = build_catalogue(sentences, CatalogueSettings(min_share=0.02, max_share=1.0))
    blank = answers.with_columns(answer=pl.when(pl.int_range(pl.len()) == 2).then(pl.lit("12 ...")).otherwise("answer"))
    assert blank["part"][2] == "val"
    assert not style(blank, sentences, catalogue)[2].any()


def test_an_attribute_that_nobody_measures_and_another_catalogue_are_refused(
    described: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    answers, sentences = described
    catalogue, _ = build_catalogue(sentences, CatalogueSettings(min_share=0.02, max_share=1.0))
    one = catalogue.head(1).with_columns(
        attribute_id=pl.lit("a999"), attribute=pl.lit("a wry tone"), raw_sentences=pl.lit([], pl.List(pl.String))
    )
    strange = pl.concat([catalogue, one])
    with pytest.raises(InputError, match="'a wry tone' is none that stylometry measures"):
        style(answers, sentences, strange)
    train = answers.filter(pl.col("part") == "train")["answer"].to_list()
    table = calibration_table(measure_texts(train), INDEX, fit_thresholds(train, 0.7), sentences, catalogue)
    with pytest.raises(InputError, match="another catalogue"):
        read_calibration(table, catalogue["attribute_id"].to_list()[1:])
