"""Judges know groups they can know, are blind to what they must not see, and come back from their file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
import polars as pl
import pytest
import sklearn.base

from sociolect.common.errors import InputError
from sociolect.judges.text_judges import JUDGES, Judge, fit_judges, judge_texts, read_judges, write_judges
from sociolect.syntax.posnoise import noise

GARDEN, KITCHEN = ("garden", "flower", "soil", "seed"), ("kitchen", "bread", "oven", "soup")
FORMAL, CASUAL = (
    "However, the {0} is of the {1}; therefore, the {2} is {1}.",
    "Well I don't {0} you {1}! And my {2}?! {1}!",
)


def texts_of(frame: str, words: Sequence[str], n: int, seed: int) -> list[str]:
    """One to three sentences each."""
    rng = np.random.default_rng(seed)
    return [" ".join(frame.format(*rng.choice(words, 3)) for _ in range(rng.integers(1, 4))) for _ in range(n)]


def tag_roughly(texts: Sequence[str]) -> pl.DataFrame:
    """TAGGED rows: the words of the topics are nouns, all others pronouns that hang on nothing."""
    rows = []
    for text in texts:
        tokens = re.findall(r"[\w']+|[^\w\s]", text)
        pos = ["NOUN" if t in GARDEN + KITCHEN else "PRON" if t[0].isalpha() else "PUNCT" for t in tokens]
        n = len(tokens)
        start = [True] + [False] * (n - 1)
        ways = {"tag": ["NN"] * n, "dep": ["ROOT"] * n, "head": [0] * n, "start": start}
        rows.append({"pos": pos, **ways, "noised": noise(tokens, pos)})
    return pl.DataFrame(rows)


def encode_marks(texts: Sequence[str]) -> np.ndarray:
    return np.array([[text.count(mark) for mark in ";!"] for text in texts])


TEXTS = texts_of(FORMAL, GARDEN, 30, 1) + texts_of(CASUAL, KITCHEN, 30, 2)
GROUPS = ["formal"] * 30 + ["casual"] * 30
NEW = texts_of(FORMAL, GARDEN, 10, 3) + texts_of(CASUAL, KITCHEN, 10, 4)
TRUTH = ["formal"] * 10 + ["casual"] * 10


@pytest.fixture(scope="module")
def judges() -> list[Judge]:
    return fit_judges(TEXTS, GROUPS, encode=encode_marks)


def test_every_judge_knows_groups_that_differ_in_style_and_topic(judges: list[Judge]) -> None:
    assert {judge.name: judge.sees for judge in judges} == JUDGES
    found = judge_texts(judges, NEW, encode=encode_marks)
    for judge in judges:
        assert judge.groups == ("casual", "formal") and not judge.tagged
        rows = found[judge.name]
        assert rows.shape == (20, 2) and rows.dtype == np.float64
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-6)
        assert [judge.groups[g] for g in rows.argmax(axis=1)] == TRUTH, judge.name


def test_other_content_words_are_nothing_to_ngrams_and_all_to_topic(judges: list[Judge]) -> None:
    swapped = [re.sub("|".join(GARDEN), lambda word: KITCHEN[GARDEN.index(word[0])], text) for text in NEW[:10]]
    before, after = (judge_texts(judges, texts, encode=encode_marks) for texts in (NEW[:10], swapped))
    np.testing.assert_array_equal(before["ngrams"], after["ngrams"])
    assert (before["topic"][:, 0] + 0.1 < after["topic"][:, 0]).all()
    # and with a tagger
    tagged = fit_judges(TEXTS, GROUPS, tag_roughly)
    before, after = (judge_texts(tagged, texts, tag_roughly) for texts in (NEW[:10], swapped))
    np.testing.assert_array_equal(before["ngrams"], after["ngrams"])


def test_a_text_is_judged_by_itself_once_and_an_empty_one_not_at_all(judges: list[Judge]) -> None:
    read: list[str] = []

    def encode(texts: Sequence[str]) -> np.ndarray:
        read.extend(texts)
        return encode_marks(texts)

    texts = [*NEW, "", " \n", NEW[0]]
    found = judge_texts(judges, texts, encode=encode)
    assert sorted(read) == sorted(set(NEW))
    order = np.random.default_rng(0).permutation(len(texts))
    permuted = judge_texts(judges, [texts[i] for i in order], encode=encode)
    for name, rows in found.items():
        assert np.isnan(rows[20:22]).all() and np.isfinite(rows[:20]).all()
        np.testing.assert_array_equal(rows[22], rows[0])
        np.testing.assert_array_equal(permuted[name], rows[order])
    assert all(np.isnan(rows).all() for rows in judge_texts(judges, ["", " "], encode=encode).values())
    assert {rows.shape for rows in judge_texts(judges, [], encode=encode).values()} == {(0, 2)}


def test_texts_are_tagged_once_for_all_judges_and_only_for_those_that_were_fitted_so(judges: list[Judge]) -> None:
    calls: list[int] = []

    def tag(texts: Sequence[str]) -> pl.DataFrame:
        calls.append(len(texts))
        return tag_roughly(texts)

    tagged = fit_judges(TEXTS, GROUPS, tag)
    assert [judge.name for judge in tagged if judge.tagged] == ["measured", "ngrams"]
    assert "sentence" not in [judge.name for judge in tagged]
    found = judge_texts(tagged, [*NEW, ""], tag)
    assert calls == [60, len(set(NEW))]
    assert all((rows[:10, 1] > 0.5).all() and (rows[10:20, 1] < 0.5).all() for rows in found.values())
    judge_texts(judges, NEW, tag, encode_marks)
    assert len(calls) == 2
    with pytest.raises(InputError, match=r"syntax\.tagger"):
        judge_texts(tagged, NEW)
    with pytest.raises(InputError, match="encoder"):
        judge_texts(judges, NEW)


def test_one_measure_beyond_all_others_counts_five_deviations(judges: list[Judge]) -> None:
    measured = judges[0].pipeline
    scaled = measured[:-1].transform(np.full((1, measured.n_features_in_), 1e6))
    assert scaled.max() == 5.0


def test_groups_weigh_alike_however_few_texts_they_have() -> None:
    # 40 texts and 4 that are like them: no judge can tell, and none says "the larger group"
    texts = texts_of(FORMAL, GARDEN, 44, 5)
    found = judge_texts(fit_judges(texts, ["a"] * 40 + ["b"] * 4), texts_of(FORMAL, GARDEN, 40, 6))
    assert 0.2 < (found["measured"].argmax(axis=1) == 0).mean() < 0.8


def test_what_cannot_be_fitted_is_said() -> None:
    with pytest.raises(InputError, match="two groups"):
        fit_judges(["one text", "two texts"], ["a", "a"])
    with pytest.raises(InputError, match="'b' has no train answers"):
        fit_judges(["one text", " "], ["a", "b"])
    with pytest.raises(InputError, match="without a word"):
        fit_judges(["...", "!!"] * 3, ["a", "b"] * 3)
    with pytest.raises(InputError, match="cannot be fitted"):
        fit_judges(["one text", "two texts"], ["a", "b"])


def test_judges_from_their_file_judge_as_before(judges: list[Judge], tmp_path: Path) -> None:
    path = tmp_path / "judges.joblib"
    write_judges(judges, path)
    assert [p.name for p in tmp_path.iterdir()] == ["judges.joblib"]
    before, after = (judge_texts(own, NEW, encode=encode_marks) for own in (judges, read_judges(path)))
    assert list(before) == list(after)
    for name, rows in before.items():
        np.testing.assert_array_equal(rows, after[name])


def test_a_file_that_is_cut_missing_or_something_else_is_named(judges: list[Judge], tmp_path: Path) -> None:
    path = tmp_path / "judges.joblib"
    write_judges(judges, path)
    for keep in (len(path.read_bytes()) // 2, 0):
        path.write_bytes(path.read_bytes()[:keep])
        with pytest.raises(InputError, match=r"judges\.joblib: no judges can be read"):
            read_judges(path)
    with pytest.raises(InputError, match=r"none\.joblib"):
        read_judges(tmp_path / "none.joblib")
    joblib.dump({"a": 1}, path)
    with pytest.raises(InputError, match=r"judges\.joblib: holds something else"):
        read_judges(path)


def test_judges_of_another_scikit_learn_are_refused(
    judges: list[Judge], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sklearn.base, "__version__", "0.1")
        write_judges(judges, tmp_path / "judges.joblib")
    with pytest.raises(InputError, match=r"judges\.joblib: written by scikit-learn 0\.1"):
        read_judges(tmp_path / "judges.joblib")
