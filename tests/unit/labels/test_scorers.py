"""Scorers: any text, in catalogue order, under keys that follow what decides a score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import write_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import CALIBRATION
from sociolect.labels.buckets import Scorer
from sociolect.labels.scorers import MEASURED, CrossEncoderScorer, MeasuredScorer, StudentScorer
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.labels import LabelingSettings
from sociolect.settings.models import ScratchTokenizer
from sociolect.sfam.student import build_student
from tagged_by_hand import BREAD, HOPE, tagged
from tiny_models import tiny_agreement

SENTENCES = ["The author uses red words.", "The author uses blue words.", "The author uses digits."]
pytestmark = pytest.mark.usefixtures("one_thread")


def scorer(
    seed: int = 1,
    sentences: Sequence[str] = SENTENCES,
    max_tokens: int = 24,
    late: bool = True,
    student: bool = False,
    **settings: object,
) -> Scorer:
    tokenizer = train_tokenizer(["red blue green 7 9", *SENTENCES], ScratchTokenizer(kind="word", vocabulary=100))
    teacher = tiny_agreement(tokenizer, max_tokens, 2, seed, late)
    given = LabelingSettings.model_validate({"tokens_per_batch": 256, **settings})
    if student:
        return StudentScorer(build_student(teacher, sentences, 12, seed), given)
    return CrossEncoderScorer(teacher, sentences, given)


def sample() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    words = ["red", "blue", "green", "7", "9"]
    rows = [" ".join(rng.choice(words, rng.integers(0, 40))) for _ in range(60)]
    return pl.DataFrame({"answer_id": [f"i{i:02d}" for i in range(60)], "answer": rows})


@pytest.mark.parametrize("kind", [{"late": True}, {"late": False}, {"student": True}])
def test_scorers_take_empty_long_and_plain_texts(kind: dict[str, Any]) -> None:
    labeler = scorer(**kind)
    scored = labeler.score(["", "red blue 7", "red " * 200, "  "])
    assert scored.scores.shape == (4, 3) and scored.scores.dtype == np.float32
    assert scored.scores[0].tolist() == scored.scores[3].tolist() == [0.0, 0.0, 0.0]
    assert ((scored.scores[1:3] > 0) & (scored.scores[1:3] < 1)).all()
    assert (scored.n_truncated, scored.n_empty) == (1, 2)
    # what is cut is not read
    longer = labeler.score(["red " * 200 + "blue"]).scores[0]
    np.testing.assert_allclose(longer, scored.scores[2], atol=1e-6)
    assert labeler.score(["", " "]).scores.tolist() == [[0.0] * 3] * 2
    assert labeler.score([]).scores.shape == (0, 3)


@pytest.mark.parametrize("late", [True, False])
def test_scores_are_in_catalogue_order_and_alone_as_in_company(late: bool) -> None:
    texts = sample()["answer"].to_list()
    whole = scorer(late=late, tokens_per_batch=4096).score(texts).scores
    turned = scorer(late=late, tokens_per_batch=64, sentences=SENTENCES[::-1]).score(texts[::-1]).scores
    np.testing.assert_allclose(whole, turned[::-1, ::-1], atol=1e-5)
    assert whole.std(axis=0).min() > 1e-4


def test_keys_follow_what_decides_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    # on a device without bfloat16 both precisions are the same
    monkeypatch.setattr("sociolect.sfam.precision.has_bf16", lambda device: True)
    keys = [
        scorer(**change).key
        for change in (
            {},
            {"seed": 2},
            {"sentences": SENTENCES[::-1]},
            {"max_tokens": 25},
            {"tokens_per_batch": 512},
            {"precision": "bf16"},
            {"late": False},
            {"student": True},
            {"student": True, "sentences": SENTENCES[::-1]},
        )
    ]
    assert scorer().key == keys[0] and len(set(keys)) == len(keys)


def test_measures_score_every_text_by_itself_in_catalogue_order(tmp_path: Path) -> None:
    # per 100 words: any exclamation mark; at most 20 question marks
    rows = [
        ("a0", "exclamation marks", "exclamation", "high", 0.0, [0.0, 100.0], [0.25, 0.75]),
        ("a1", "few questions", "question", "low", 20.0, [0.0, 100.0], [0.9, 0.1]),
    ]
    write_table(CALIBRATION.frame(rows), tmp_path / "calibration.parquet", CALIBRATION, {})
    labeler = MeasuredScorer(tmp_path / "calibration.parquet", ["a1", "a0"], "code")
    scored = labeler.score(["Go!", "Go", "Who?", "", "?!"])
    expected = [[0.9, 0.75], [0.9, 0.25], [0.1, 0.25], [0.0, 0.0], [0.0, 0.0]]
    np.testing.assert_allclose(scored.scores, expected, atol=1e-6)
    assert scored.scores.dtype == np.float32 and (scored.n_truncated, scored.n_empty) == (0, 2)
    many = labeler.score(["Go!", "Who?"] * MEASURED)
    assert (many.scores == np.tile(scored.scores[[0, 2]], (MEASURED, 1))).all()
    # what is measured stands in the sources
    write_table(CALIBRATION.frame([*rows[:1], (*rows[1][:4], 10.0, *rows[1][5:])]), tmp_path / "b", CALIBRATION, {})
    others = [MeasuredScorer(tmp_path / "b", ["a1", "a0"], "code"), MeasuredScorer(tmp_path / "b", ["a1", "a0"], "new")]
    assert len({labeler.key, *(other.key for other in others)}) == 3


def test_measures_of_syntax_come_from_given_tags_or_from_a_tagger(tmp_path: Path) -> None:
    # per 100 words: any passive with an agent
    row = ("a0", "passive clauses with an agent", "passive_agent", "high", 0.0, [0.0, 100.0], [0.25, 0.75])
    write_table(CALIBRATION.frame([row]), tmp_path / "c.parquet", CALIBRATION, {})
    texts = ["The bread that the cook baked was eaten by hungry dogs.", "I hope, but there are no tools.", ""]
    rows = tagged([[BREAD], [HOPE], []])
    labeler = MeasuredScorer(tmp_path / "c.parquet", ["a0"], "code")
    given = labeler.score(texts * MEASURED, tagged=pl.concat([rows] * MEASURED)).scores[:, 0].tolist()
    assert given == given[:3] * MEASURED and given[0] > 0.5 > given[1] == 0.25 and given[2] == 0.0
    asked: list[int] = []

    def tag(some: Sequence[str]) -> pl.DataFrame:
        asked.append(len(some))
        return rows[: len(some)].drop("answer_id")

    assert MeasuredScorer(tmp_path / "c.parquet", ["a0"], "code", tag).score(texts).scores[:, 0].tolist() == given[:3]
    assert asked == [3]
    with pytest.raises(InputError, match=r"'passive_agent', which is not measured here: give the tagged answers"):
        labeler.score(texts)
