"""Judges that tell groups by the text alone: by measures of style, by text without its topic, by words, by sentences.

SFAM and the net build the target of steering; none of these has seen them. What two judges say together is worth more
the less they look at the same, so each says what it sees.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import polars as pl
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sociolect.common.errors import InputError
from sociolect.common.files import atomic_path
from sociolect.embedding.judge import fit_judge
from sociolect.embedding.masking import mask_by_tags, mask_content
from sociolect.stylometry.stylometry import log_rates, measure_answers

__all__ = ["JUDGES", "Encode", "Judge", "Tag", "fit_judges", "judge_texts", "read_judges", "write_judges"]

# texts -> their rows of schema TAGGED, and their vectors [n, d]
Tag = Callable[[Sequence[str]], pl.DataFrame]
Encode = Callable[[Sequence[str]], np.ndarray]

# judge -> what it sees of a text; vectors of sentences hold both, in parts that nobody knows
JUDGES = {"measured": "style", "ngrams": "style", "topic": "topic", "sentence": "both"}
_TAGGED = ("measured", "ngrams")
_FAR = 5.0  # standard deviations beyond which a measure counts no more
_TERMS = 50_000
# words with their apostrophes, and each mark by itself
_TOKEN = r"\w+(?:['’]\w+)*|[^\w\s]"
_WORD = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class Judge:
    """A classifier of texts by group.

    Attributes:
        name: key of JUDGES.
        sees: "style", "topic" or "both".
        groups: alphabetical, the columns of its probabilities.
        pipeline: fitted, from what `judge_texts` reads in texts to groups.
        tagged: fitted on tagged texts, and of use for those only.
    """

    name: str
    sees: str
    groups: tuple[str, ...]
    pipeline: Pipeline
    tagged: bool = False


def fit_judges(
    texts: Sequence[str], groups: Sequence[str], tag: Tag | None = None, encode: Encode | None = None
) -> list[Judge]:
    """All judges, in the order of JUDGES, each with groups weighted equally.

    `measured`: shrinkage LDA of the measures of style, and of syntax where there is a tagger; `ngrams`: TF-IDF of word
    1-3-grams of texts without their content words; `topic`: words and characters as they are (embedding/judge.py);
    `sentence`, where there is an encoder: logistic regression on its vectors.

    Args:
        texts: train answers [n], in an order that does not depend on the machine; empty ones are left out.
        groups: group of each.
        tag: tags texts, as `sociolect.syntax.tagging.tagging_by` gives it.
        encode: vectors of texts [n, d], of an encoder that nothing else here uses.

    Raises:
        InputError: fewer than two groups, a group without texts, texts without a word, or too few to fit on.
    """
    names = tuple(sorted(set(groups)))
    if len(names) < 2:
        raise InputError("the judges need train answers of at least two groups")
    kept = [(text, group) for text, group in zip(texts, groups, strict=True) if text.strip()]
    missing = sorted(set(names) - {group for _, group in kept})
    if missing:
        raise InputError(f"group {missing[0]!r} has no train answers with text for the judges")
    own = [text for text, _ in kept]
    if not any(_WORD.search(text) for text in own):
        raise InputError(f"{len(own)} train answers without a word: the judges have nothing to tell groups by")
    truth = [group for _, group in kept]
    tagged = None if tag is None else _tagged(own, tag)
    judges = []
    for name, sees in JUDGES.items():
        if name != "sentence" or encode is not None:
            pipeline = _fitted(name, _read(name, own, tagged, encode), truth, len(names))
            judges.append(Judge(name, sees, names, pipeline, tagged is not None and name in _TAGGED))
    return judges


def judge_texts(
    judges: Sequence[Judge], texts: Sequence[str], tag: Tag | None = None, encode: Encode | None = None
) -> dict[str, np.ndarray]:
    """Probabilities of each judge's groups, float64 [n, G] by its name; NaN rows for empty texts.

    Equal texts are read once, in an order of their own, so that no row depends on the others.

    Args:
        judges: of one call of `fit_judges`.
        texts: [n].
        tag: the tagger that they were fitted with; not called where they were fitted without one.
        encode: the encoder that they were fitted with.

    Raises:
        InputError: judges that need a tagger or an encoder, and there is none.
    """
    distinct = sorted({text for text in texts if text.strip()})
    place = {text: row for row, text in enumerate(distinct)}
    rows = np.array([place.get(text, -1) for text in texts], dtype=np.int64)
    there = rows >= 0
    needed = any(judge.tagged for judge in judges)
    if needed and tag is None:
        raise InputError("the judges were fitted on tagged answers: set syntax.tagger as it was, or fit them anew")
    tagged = _tagged(distinct, tag) if needed and tag is not None and distinct else None
    found = {}
    for judge in judges:
        found[judge.name] = np.full((len(rows), len(judge.groups)), np.nan)
        if distinct:
            seen = _read(judge.name, distinct, tagged if judge.tagged else None, encode)
            found[judge.name][there] = np.asarray(judge.pipeline.predict_proba(seen), dtype=np.float64)[rows[there]]
    return found


def write_judges(judges: Sequence[Judge], path: Path) -> None:
    """Write fitted judges to one file, atomically."""
    with atomic_path(path) as temporary:
        joblib.dump(list(judges), temporary, compress=3)


def read_judges(path: Path) -> list[Judge]:
    """Judges from `write_judges`. Reading runs what the file says: only one that the workflow itself wrote may be read.

    Raises:
        InputError: the file cannot be read, or another version of scikit-learn wrote it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            judges = joblib.load(path)
    except InconsistentVersionWarning as error:
        raise InputError(
            f"{path}: written by scikit-learn {error.original_sklearn_version}, and this is "
            f"{error.current_sklearn_version}; delete the file and fit the judges anew"
        ) from error
    # a damaged pickle raises anything
    except Exception as error:
        raise InputError(
            f"{path}: no judges can be read ({type(error).__name__}: {error}); delete the file and fit them anew"
        ) from error
    if not (isinstance(judges, list) and all(isinstance(judge, Judge) for judge in judges)):
        raise InputError(f"{path}: holds something else than judges; delete the file and fit them anew")
    return judges


def _tagged(texts: Sequence[str], tag: Tag) -> pl.DataFrame:
    tagged = tag(texts)
    if tagged.height != len(texts):
        raise InputError(f"{tagged.height} tagged texts for {len(texts)}; the tagger must give one row per text")
    return tagged


def _read(name: str, texts: Sequence[str], tagged: pl.DataFrame | None, encode: Encode | None) -> Any:
    """What a judge's pipeline takes of texts [n]: texts [n], or numbers [n, width]."""
    if name == "measured":
        return log_rates(measure_answers(texts, tagged))
    if name == "ngrams":
        return mask_content(texts) if tagged is None else mask_by_tags(tagged)
    if name == "topic":
        return list(texts)
    if encode is None:
        raise InputError("the judge of sentences needs the encoder that it was fitted with")
    vectors = np.asarray(encode(texts), dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) != len(texts):
        raise InputError(f"vectors of shape {vectors.shape} for {len(texts)} texts; an encoder gives one row per text")
    return vectors


def _fitted(name: str, seen: Any, truth: Sequence[str], n_groups: int) -> Pipeline:
    if name == "topic":
        return fit_judge(seen, truth, _TERMS)
    if name == "measured":
        # one measure of a strange text must not decide; and groups of few answers are guessed as readily as others
        pipeline = make_pipeline(
            StandardScaler(),
            FunctionTransformer(np.clip, kw_args={"a_min": -_FAR, "a_max": _FAR}),
            LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=np.full(n_groups, 1 / n_groups)),
        )
    elif name == "ngrams":
        pipeline = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 3), token_pattern=_TOKEN, sublinear_tf=True, min_df=2, max_features=_TERMS),
            LogisticRegression(C=4.0, max_iter=300, tol=1e-3, class_weight="balanced"),
        )
    else:
        # as the baselines have it for scaled features
        pipeline = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, max_iter=300, tol=1e-3, class_weight="balanced")
        )
    try:
        return pipeline.fit(seen, list(truth))
    except ValueError as error:
        raise InputError(f"the judge {name!r} cannot be fitted on {len(truth)} answers: {error}") from error
