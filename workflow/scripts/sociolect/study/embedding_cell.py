"""One cell of the embedding study: its search, its nets, and what they tell of every val and test answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.schemas import STUDY_ANSWERS
from sociolect.common.seeds import seed_of
from sociolect.embedding.accuracy import beats, macro, near_of
from sociolect.embedding.baselines import logistic_probabilities, style_only_features
from sociolect.embedding.fit_data import FitData, fit_data, subsample
from sociolect.embedding.net import EmbeddingNet, distance_matrix, embed, nearest_index
from sociolect.embedding.net_training import train_net
from sociolect.embedding.statistics import Statistic, group_embeddings, map_groups
from sociolect.embedding.syntax_baselines import ALL_STYLE, syntax_probabilities
from sociolect.embedding.tuning import best_trial, tune
from sociolect.settings.embedding import Center, EmbeddingSettings
from sociolect.settings.study import StudyCell, StudySettings
from sociolect.stylometry.stylometry import log_rates, measure_texts

__all__ = ["run_cell"]

_C = (0.01, 0.03, 0.1, 0.3, 1.0)  # strengths of the regularization, of which val chooses


def run_cell(
    frame: pl.DataFrame,
    cell: StudyCell,
    base: EmbeddingSettings,
    study: StudySettings,
    parents: Mapping[str, str],
    theta: float,
    journal: Path,
    run_seed: int,
    progress: Report | None = None,
    tagged: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """STUDY_ANSWERS of a cell.

    Args:
        frame: labeled answers; `style` is what the cell embeds.
        cell: what is changed.
        base: the configured embedding.
        study: the budget.
        parents: group -> parent group.
        theta: SFAM threshold, for usage rates.
        journal: file that keeps the search's trials.
        run_seed: of the run; the same for all cells, so that their nets differ by what the cell changes.
        progress: of the trials.
        tagged: rows of schema TAGGED of the answers, in their order, for a cell of all style.

    Raises:
        InputError: a cell of all style, and no tagged answers.
    """
    settings = EmbeddingSettings.model_validate({**base.model_dump(), "n_trials": study.n_trials, **cell.embedding})
    groups = sorted(frame["group"].unique())
    above = map_groups(groups, parents)
    if cell.parents and (above == groups or len(set(above)) < 2):
        return STUDY_ANSWERS.empty()
    if cell.features == "all_style":
        return _all_style(frame, tagged, above)
    fitted = frame.with_columns(_parents(frame, parents)) if cell.parents else frame
    data = fit_data(fitted)
    if cell.train_share < 1:
        data = subsample(data, cell.train_share, seed_of(run_seed, "study", "share"))
    asked = fitted.filter(pl.col("part").is_in(["val", "test"])).sort("answer_id")
    if cell.classifier == "logistic":
        return _rows(
            asked, {"": _logistic(data, matrix(asked["style"]))}, data.groups, 0, None if cell.parents else above
        )
    _, hyper, _ = best_trial(tune(data, settings, run_seed, progress, journal), settings)
    tables = []
    # what draws nothing comes out the same every time
    for seed in range(study.n_seeds if settings.map == "net" else 1):
        net = train_net(data, hyper, settings, seed_of(run_seed, "study", "net", seed)).net
        near = {
            name: distance_matrix(embed(net, matrix(asked["style"])), centers, hyper.distance)
            for name, centers in _centers(net, data, theta).items()
        }
        # the center that the map is made for comes first
        own = "median" if settings.center == "style" else settings.center
        near = {own: near[own], **near}
        # what was trained on parents is asked for them alone
        tables.append(_rows(asked, near, data.groups, seed, None if cell.parents else above))
    return pl.concat(tables)


def _centers(net: EmbeddingNet, data: FitData, theta: float) -> dict[str, np.ndarray]:
    """Name -> group embeddings [G, D]: f of each statistic of the style vectors, and the centers of embeddings."""
    groups = [data.groups[g] for g in data.who.group.tolist()]
    authors = [str(a) for a in data.who.author.tolist()]
    style = data.style.double().numpy()
    kinds: dict[str, tuple[Statistic, Center]] = {name: (name, "style") for name in get_args(Statistic)}
    kinds |= {"mean_embedding": ("median", "mean_embedding"), "geometric_median": ("median", "geometric_median")}
    return {
        name: group_embeddings(net, style, groups, authors, statistic, center, theta)
        for name, (statistic, center) in kinds.items()
    }


def _all_style(frame: pl.DataFrame, tagged: pl.DataFrame | None, above: list[str]) -> pl.DataFrame:
    """What logistic regression on all style and syntax features tells, its penalty chosen on val."""
    if tagged is None:
        raise InputError("all style needs tagged answers; set syntax.tagger, or take ceiling out of study.axes")
    groups, texts, part = sorted(frame["group"].unique()), frame["answer"].to_list(), frame["part"].to_numpy()
    truth = np.array([groups.index(g) for g in frame["group"]])
    dense = [style_only_features(texts), log_rates(measure_texts(texts))]
    found = dict(syntax_probabilities(tagged, dense, truth, part == "train", part == "val", lambda name: None))
    asked = np.flatnonzero(part != "train")
    return _rows(frame[asked], {"": near_of(found[ALL_STYLE][asked])}, tuple(groups), 0, above)


def _logistic(data: FitData, asked: np.ndarray) -> np.ndarray:
    """Minus log probabilities [n, G] by the logistic regression whose strength is best on val."""
    features = np.concatenate([data.style.double().numpy(), data.val_style, asked])
    n_train, n_val = len(data.style), len(data.val_style)
    is_train = np.arange(len(features)) < n_train
    truth = np.zeros(len(features), dtype=np.int64)
    truth[:n_train] = data.who.group.numpy()
    tried = [logistic_probabilities(features, truth, is_train, strength) for strength in _C]
    best = max(tried, key=lambda found: macro(found[n_train : n_train + n_val].argmax(axis=1), data.val_group))
    return near_of(best[n_train + n_val :])


def _rows(
    asked: pl.DataFrame,
    near: Mapping[str, np.ndarray],
    groups: tuple[str, ...],
    seed: int,
    above: list[str] | None,
) -> pl.DataFrame:
    """STUDY_ANSWERS rows; of the first center also for the parent groups, where there are any above these groups.

    Args:
        near: center -> [n, G].
        above: parent of each group; None where the groups are parents themselves.
    """
    truth = np.array([groups.index(g) for g in asked["group"]])
    level = "parent" if above is None else "leaf"
    tables = [_told(asked, one, truth, groups, center, level, seed) for center, one in near.items()]
    names = tuple(sorted(set(above or ())))
    if above is None or above == list(groups) or len(names) < 2:
        return pl.concat(tables)
    center, first = next(iter(near.items()))
    # a parent is as near as the nearest of its groups
    of_parent = np.stack([first[:, [a == name for a in above]].min(axis=1) for name in names], axis=1)
    of_answer = np.array([names.index(above[g]) for g in truth])
    return pl.concat([*tables, _told(asked, of_parent, of_answer, names, center, "parent", seed)])


def _told(
    asked: pl.DataFrame,
    near: np.ndarray,
    truth: np.ndarray,
    groups: tuple[str, ...],
    center: str,
    level: str,
    seed: int,
) -> pl.DataFrame:
    farther = beats(near, truth)
    # an answer's own column is no pair
    pairs = (farther.sum(axis=1) - farther[np.arange(len(truth)), truth]) / (len(groups) - 1)
    found = nearest_index(near)
    return STUDY_ANSWERS.frame(
        asked.select("answer_id", "question_id", "part")
        .with_columns(
            pl.Series("group", [groups[g] for g in truth]),
            pl.Series("nearest", [groups[g] for g in found]),
            pl.Series("pairs", pairs, dtype=pl.Float64),
            pl.lit(center).alias("center"),
            pl.lit(level).alias("level"),
            pl.lit(seed, dtype=pl.Int64).alias("seed"),
        )
        .select(list(STUDY_ANSWERS.columns))
        .rows()
    )


def _parents(frame: pl.DataFrame, parents: Mapping[str, str]) -> pl.Series:
    return pl.Series("group", map_groups(frame["group"].to_list(), parents))
