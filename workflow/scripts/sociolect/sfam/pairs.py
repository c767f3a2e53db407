"""Pairs of answer and attribute that SFAM is trained and judged on.

Negatives are attributes not said of an answer: hard ones are similar to what was said of it, easy ones are not.
Every answer draws from its own seed, so that neither the order of the rows nor other answers matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer

from sociolect.common.errors import InputError
from sociolect.common.schemas import PAIRS
from sociolect.common.seeds import seed_of, stable_hash
from sociolect.settings.sfam import PairSettings
from sociolect.sfam.pair_arrays import index_pairs

PARTS = ("train", "val", "test")


def build_pairs(described: pl.DataFrame, catalogue: pl.DataFrame, settings: PairSettings, seed: int) -> pl.DataFrame:
    """Draw the pairs.

    Each answer gives at most `pairs_per_answer` pairs with attributes that are trained on, half of them positive,
    and by the same rule pairs with attributes that are held out (for part train these are seen texts with unseen
    attributes: for judging only). Among the negatives an attribute is drawn in proportion to how often it
    is said: otherwise the attribute alone would tell the label. Held-out parts get `random` pairs too.

    Args:
        described: answer_id, part (train, val, test), attributes (list of attribute_id), one row per answer.
        catalogue: attribute_id and attribute.
        settings: number of pairs, share of hard negatives, share of held-out attributes.
        seed: of this stage.

    Returns:
        A frame of schema PAIRS, sorted by answer and attribute; the trainer takes part train without held_out.

    Raises:
        InputError: an attribute is not in the catalogue, an answer is described twice, a part is
            unknown, or there is no positive pair to train on.
    """
    ids = catalogue["attribute_id"].to_list()
    said = _said_matrix(described, ids)
    order = described.with_row_index("row").sort("answer_id")
    held_out = held_out_attributes(ids, settings.held_out_share, seed)
    is_train = (described["part"] == "train").to_numpy()
    similarity = attribute_similarity(catalogue["attribute"].to_list(), said[is_train])
    counts = said[is_train].sum(axis=0)
    odds = (counts + 0.5) / (is_train.sum() - counts + 0.5)
    trained = np.array([a not in held_out for a in ids])
    n_held = max(2, 2 * round(settings.pairs_per_answer * settings.held_out_share / 2))
    rows: list[tuple[str, str, int, float, str, str, bool]] = []
    for row, answer_id, part in order.select("row", "answer_id", "part").iter_rows():
        rng = np.random.default_rng(seed_of(seed, "pairs", answer_id))
        drawn: list[tuple[int, int, str]] = []
        for among, limit in ((trained, settings.pairs_per_answer), (~trained, n_held)):
            drawn += _draw(said[row], among, similarity, odds, limit // 2, settings.hard_share, rng)
        if part != "train":
            absent = np.flatnonzero(~said[row])
            chosen = rng.permutation(absent)[: settings.random_per_answer]
            drawn += [(int(a), 0, "random") for a in chosen]
        rows += [
            (answer_id, ids[a], label, float(label), kind, part, not trained[a]) for a, label, kind in sorted(drawn)
        ]
    pairs = PAIRS.frame(rows)
    if pairs.filter((pl.col("part") == "train") & (pl.col("label") == 1) & ~pl.col("held_out")).is_empty():
        raise InputError("no train answer has an attribute of the catalogue: describe more answers or keep more")
    return pairs


def grade_pairs(
    pairs: pl.DataFrame, style: np.ndarray, answer_ids: Sequence[str], attribute_ids: Sequence[str]
) -> pl.DataFrame:
    """The same pairs with graded targets.

    Args:
        pairs: PAIRS.
        style: calibrated probabilities [n, K].
        answer_ids: of its rows.
        attribute_ids: of its columns.

    Raises:
        InputError: a pair names another answer or attribute.
    """
    found = index_pairs(pairs, list(answer_ids), list(attribute_ids))
    return pairs.with_columns(target=pl.Series(style[found.answer, found.attribute].astype(np.float64)))


def held_out_attributes(attribute_ids: Sequence[str], share: float, seed: int) -> frozenset[str]:
    """The attributes that are never trained on: those of smallest stable hash, at least two left in training."""
    n = min(round(share * len(attribute_ids)), max(len(attribute_ids) - 2, 0))
    return frozenset(sorted(attribute_ids, key=lambda a: (stable_hash(seed, "held_out", a), a))[:n])


def attribute_similarity(names: Sequence[str], said: np.ndarray) -> np.ndarray:
    """Similarity of attributes [K, K]: cosine of character n-grams of their names plus positive co-occurrence.

    Args:
        names: the K attributes.
        said: which answer has which, bool [n, K]; co-occurrence is the phi coefficient over the answers.
    """
    tfidf = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).fit_transform([f" {n} " for n in names])
    cosine = (tfidf @ tfidf.T).toarray()
    centered = said - said.mean(axis=0, keepdims=True)
    norm = np.sqrt((centered**2).sum(axis=0))
    scale = np.outer(norm, norm)
    phi = np.divide(centered.T @ centered, scale, out=np.zeros_like(cosine), where=scale > 0)
    similarity = cosine + np.maximum(phi, 0.0)
    np.fill_diagonal(similarity, 0.0)
    return similarity


def _said_matrix(described: pl.DataFrame, ids: list[str]) -> np.ndarray:
    column = {a: k for k, a in enumerate(ids)}
    if described["answer_id"].is_duplicated().any():
        twice = described.filter(pl.col("answer_id").is_duplicated())["answer_id"].min()
        raise InputError(f"answer {twice!r} is described twice; gather its attributes in one row")
    said = np.zeros((described.height, len(ids)), dtype=bool)
    for row, (answer_id, part, attributes) in enumerate(
        described.select("answer_id", "part", "attributes").iter_rows()
    ):
        if part not in PARTS:
            raise InputError(f"answer {answer_id!r}: part is {part!r}, must be one of {', '.join(PARTS)}")
        for attribute in attributes:
            if attribute not in column:
                raise InputError(f"answer {answer_id!r} has attribute {attribute!r}, which is not in the catalogue")
            said[row, column[attribute]] = True
    return said


def _draw(
    said: np.ndarray,
    among: np.ndarray,
    similarity: np.ndarray,
    odds: np.ndarray,
    n_pairs: int,
    hard_share: float,
    rng: np.random.Generator,
) -> list[tuple[int, int, str]]:
    """(attribute, label, slice) of one answer: as many negatives as positives, from the attributes `among`."""
    positive = np.flatnonzero(said & among)
    negative = np.flatnonzero(~said & among)
    n = min(n_pairs, len(positive), len(negative))
    if n == 0:
        return []
    # the answer's candidates, most similar to anything said of it first: the first half counts as hard
    nearness = similarity[negative][:, said].max(axis=1)
    ranked = negative[np.lexsort((negative, -nearness))]
    half = (len(ranked) + 1) // 2
    n_hard = int(hard_share * n + rng.random())
    n_hard = min(max(n_hard, n - (len(ranked) - half)), half, n)
    chosen = [(int(a), 1, "positive") for a in rng.permutation(positive)[:n]]
    for candidates, count, kind in ((ranked[:half], n_hard, "hard"), (ranked[half:], n - n_hard, "easy")):
        # exponential race: draws without replacement in proportion to the odds
        race = rng.exponential(size=len(candidates)) / odds[candidates]
        chosen += [(int(a), 0, kind) for a in candidates[np.argsort(race, kind="stable")[:count]]]
    return chosen
