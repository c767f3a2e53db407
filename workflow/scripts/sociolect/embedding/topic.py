"""Accuracies with the topic held still: on shared questions, and on clusters of questions that were never seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.schemas import TOPIC
from sociolect.common.seeds import seed_of
from sociolect.embedding.accuracy import near_of
from sociolect.embedding.baselines import TERMS, baseline_features, logistic_probabilities
from sociolect.embedding.clusters import Fold, deal_clusters, held_out_folds, question_clusters
from sociolect.embedding.fit_data import fit_data
from sociolect.embedding.judge import TermJudge
from sociolect.embedding.net import distance_matrix, embed
from sociolect.embedding.net_training import Hyper, train_net
from sociolect.embedding.resampling import Resampled
from sociolect.embedding.statistics import center_of, group_embeddings
from sociolect.settings.embedding import EmbeddingSettings, ProfileSettings, TopicSettings

__all__ = ["measure_topic", "models_of", "net_near", "shared_groups"]

# rows that are fitted on (train and val), rows that are asked -> near [asked, G]
Model = Callable[[np.ndarray, np.ndarray], np.ndarray]


def net_near(
    fit: pl.DataFrame,
    style: np.ndarray,
    hyper: Hyper,
    embedding: EmbeddingSettings,
    profiles: ProfileSettings,
    theta: float,
    seed: int,
) -> np.ndarray:
    """Distances [n, G] of style vectors [n, K] to the group embeddings of a net that is trained on `fit`.

    Args:
        fit: labeled train and val answers.
        theta: SFAM threshold, for usage rates.
        seed: of the net.
    """
    net = train_net(fit_data(fit), hyper, embedding, seed).net
    train = fit.filter(pl.col("part") == "train")
    groups, authors = train["group"].to_list(), train["author"].to_list()
    seen = matrix(train["style"])
    center = center_of(profiles.center, {"center": embedding.center})
    centers = group_embeddings(net, seen, groups, authors, profiles.statistic, center, theta)
    return distance_matrix(embed(net, style), centers, hyper.distance)


def models_of(frame: pl.DataFrame, net: Callable[[pl.DataFrame, np.ndarray], np.ndarray]) -> dict[str, Model]:
    """The net and the baselines, each to be fitted on any rows of the frame; what texts give is measured once.

    Args:
        frame: labeled answers.
        net: labeled train and val answers, style vectors [n, K] -> near [n, G].
    """
    style, texts = matrix(frame["style"]), frame["answer"].to_list()
    groups = sorted(frame["group"].unique())
    truth = np.array([groups.index(g) for g in frame["group"]])
    is_train = (frame["part"] == "train").to_numpy()
    judge = TermJudge(texts, is_train, TERMS)

    def regression(features: np.ndarray) -> Model:
        def near(fit: np.ndarray, asked: np.ndarray) -> np.ndarray:
            return near_of(logistic_probabilities(features, truth, _mask(fit, is_train))[asked])

        return near

    return {
        "net": lambda fit, asked: net(frame[fit], style[asked]),
        "tfidf_logreg": lambda fit, asked: near_of(judge.probabilities(truth, fit[is_train[fit]], asked)),
        **{name: regression(features) for name, features in baseline_features(texts, style).items()},
    }


def measure_topic(
    frame: pl.DataFrame,
    models: Mapping[str, Model],
    masked: Sequence[str],
    settings: TopicSettings,
    run_seed: int,
    progress: Report | None = None,
) -> pl.DataFrame:
    """TOPIC of all models, and of probes that see the masked answers or the questions alone.

    Args:
        frame: SAMPLES columns of the experiment's groups, in the order that the models were made with.
        models: name -> model.
        masked: answers without content words, in the order of the frame.

    Raises:
        InputError: fewer than two groups have test answers.
    """
    groups = sorted(frame["group"].unique())
    truth, part = np.array([groups.index(g) for g in frame["group"]]), frame["part"].to_numpy()
    test, rest = np.flatnonzero(part == "test"), np.flatnonzero(part != "test")
    if len(np.unique(truth[test])) < 2:
        raise InputError("fewer than two groups have test answers; change sampling.parts or the minimum")
    seed = seed_of(run_seed, "topic")
    cluster, folds, why_not = _folds(frame, truth, part, groups, settings, seed)
    questions = frame["question_id"].to_numpy()[test]
    boot = Resampled(questions, truth[test], len(groups), settings.resamples, settings.confidence, seed)
    shared = shared_groups(questions, truth[test], len(groups))
    fitted = [int((part[fold.unseen] == "train").sum()) for fold in folds]
    about = {
        "n": len(test),
        "n_shared": int(shared.any(axis=1).sum()),
        "n_clusters": len(np.unique(cluster)),
        "train_share": float(np.mean(fitted)) / int((part == "train").sum()) if folds else None,
    }
    probes = {"masked_text": masked, "question": frame["question"].to_list()}
    tell = progress or (lambda done, total, message: None)
    rows: list[dict[str, Any]] = []
    for done, name in enumerate([*models, *probes]):
        tell(done, len(models) + len(probes), name)
        row = {"model": name, "kind": "model" if name in models else "probe", **about}
        try:
            model = models[name] if name in models else _probe(probes[name], truth, part == "train")
        except InputError as error:
            rows.append(row | {"note": str(error)})
            continue
        near = model(rest, test)
        row |= boot.figures("accuracy", near) | boot.figures("shared", near, shared)
        if folds:
            row |= boot.kept(*(_near_of_folds(model, folds, test, arm) for arm in ("plain", "unseen")))
        rows.append(row | _judged(row, why_not, settings.min_kept))
    tell(len(rows), len(rows), "done")
    return TOPIC.frame([{**dict.fromkeys(TOPIC.columns), **row} for row in rows])


def shared_groups(questions: np.ndarray, truth: np.ndarray, n_groups: int) -> np.ndarray:
    """Other groups that answered the same question, bool [n, G].

    Args:
        questions: question of each answer [n].
        truth: its group [n], from 0.
    """
    _, question = np.unique(questions, return_inverse=True)
    asked = np.zeros((question.max() + 1, n_groups), dtype=bool)
    asked[question, truth] = True
    return np.asarray(asked[question] & (truth[:, None] != np.arange(n_groups)))


def _folds(
    frame: pl.DataFrame,
    truth: np.ndarray,
    part: np.ndarray,
    groups: Sequence[str],
    settings: TopicSettings,
    seed: int,
) -> tuple[np.ndarray, list[Fold], str | None]:
    """Cluster of each answer, the folds, and why there are none."""
    cluster = np.zeros(frame.height, dtype=np.int64)
    try:
        cluster = question_clusters(
            frame["question"].to_list(), truth, settings.clusters, 1 / settings.folds, seed_of(seed, "clusters")
        )
        fold = deal_clusters(cluster, truth, settings.folds)
        return cluster, held_out_folds(fold, truth, part, groups, seed_of(seed, "removal")), None
    except InputError as error:
        return cluster, [], str(error)


def _near_of_folds(model: Model, folds: Sequence[Fold], test: np.ndarray, arm: str) -> np.ndarray:
    """Each test answer by the model of its fold: near [n, G]."""
    pieces = [model(getattr(fold, arm), fold.test) for fold in folds]
    rows = np.concatenate([fold.test for fold in folds])
    return np.concatenate(pieces)[np.argsort(rows)[np.searchsorted(np.sort(rows), test)]]


def _judged(row: Mapping[str, Any], why_not: str | None, min_kept: float) -> dict[str, Any]:
    """Whether a model may be telling topics, and why figures are missing."""
    notes = []
    if row["shared"] is None:
        notes.append("no test question was answered by several groups")
    if why_not is not None:
        notes.append(why_not)
    elif row.get("kept") is None:
        notes.append("its plain accuracy is not above chance")
    high = row.get("kept_high")
    doubt = None if high is None or row["kind"] == "probe" else high < min_kept
    return {"may_be_topic": doubt, "note": "; ".join(notes) or None}


def _probe(texts: Sequence[str], truth: np.ndarray, is_train: np.ndarray) -> Model:
    """TF-IDF and logistic regression of these texts; one that a group has twice is learned once."""
    judge = TermJudge(texts, is_train, TERMS)

    def near(fit: np.ndarray, asked: np.ndarray) -> np.ndarray:
        learned = {(texts[i], truth[i]): i for i in fit[is_train[fit]][::-1]}
        return near_of(judge.probabilities(truth, np.sort(np.fromiter(learned.values(), dtype=np.int64)), asked))

    return near


def _mask(rows: np.ndarray, among: np.ndarray) -> np.ndarray:
    chosen = np.zeros(len(among), dtype=bool)
    chosen[rows] = True
    return np.asarray(chosen & among)
