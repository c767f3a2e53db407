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
from sociolect.embedding.judge import TermJudge
from sociolect.embedding.net import distance_matrix, embed
from sociolect.embedding.statistics import group_embeddings
from sociolect.embedding.tuning import Hyper, fit_data, train_net
from sociolect.settings.embedding import EmbeddingSettings, ProfileSettings, TopicSettings

__all__ = ["Resampled", "beats", "measure_topic", "models_of", "net_near", "shared_groups"]

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
    centers = group_embeddings(net, seen, groups, authors, profiles.statistic, profiles.center, theta)
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


def beats(near: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether an answer's own group is nearer than each other group, bool [n, G]; a tie goes to the smaller name."""
    own = np.take_along_axis(near, truth[:, None], axis=1)
    first = truth[:, None] < np.arange(near.shape[1])
    return np.where(first, own <= near + 1e-12, near > own + 1e-12)


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


class Resampled:
    """Mean accuracies over pairs of groups and their intervals, from one paired bootstrap over questions.

    Args:
        questions: question of each test answer [n].
        truth: its group [n], from 0.
        n_groups: G.
        resamples: number B of resamples.
        confidence: level of the intervals.
        seed: of the draws.
    """

    def __init__(
        self, questions: np.ndarray, truth: np.ndarray, n_groups: int, resamples: int, confidence: float, seed: int
    ) -> None:
        names, self.question = np.unique(questions, return_inverse=True)
        self.truth, self.n_groups = truth, n_groups
        present = np.isin(np.arange(n_groups), truth)
        self.others = present & (truth[:, None] != np.arange(n_groups))
        n = len(names)
        drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
        # the first row is the sample itself
        self.counts = np.vstack([np.ones(n), drawn])
        self.tails = [(1 - confidence) / 2, (1 + confidence) / 2]

    def pairwise(self, near: np.ndarray, against: np.ndarray | None = None) -> np.ndarray:
        """Mean over ordered pairs of groups of how often the one's answers are nearer to it: [1 + B], NaN if none.

        Args:
            near: of the test answers [n, G].
            against: groups that an answer is compared with, bool [n, G]; all others by default.
        """
        against = self.others if against is None else against
        right = self._summed(beats(near, self.truth) & against)
        tried = self._summed(against)
        met = tried > 0
        rate = np.divide(right, tried, out=np.zeros_like(right), where=met)
        with np.errstate(invalid="ignore"):
            return np.asarray(rate.sum(axis=1) / met.sum(axis=1))

    def figures(self, name: str, near: np.ndarray, against: np.ndarray | None = None) -> dict[str, float | None]:
        """An accuracy with its interval, as columns of TOPIC; nulls where nothing can be compared."""
        return self._columns(name, self.pairwise(near, against))

    def kept(self, plain: np.ndarray, unseen: np.ndarray) -> dict[str, float | None]:
        """Both accuracies, their difference and the share of what lies above chance that is kept.

        Where the plain accuracy's interval reaches down to chance there is nothing that could be kept.
        """
        before, after = self.pairwise(plain), self.pairwise(unseen)
        columns = self._columns("plain", before) | self._columns("unseen", after)
        columns |= self._columns("drop", before - after)
        low = columns["plain_low"]
        if low is None or low <= 0.5:
            return columns
        above = before > 0.5
        share = np.divide(after - 0.5, before - 0.5, out=np.full(len(before), np.nan), where=above)
        return columns | self._columns("kept", share)

    def _summed(self, flags: np.ndarray) -> np.ndarray:
        """Sums over the answers of each group, in the sample and in every resample [1 + B, G * G]."""
        size = self.n_groups * self.n_groups
        cells = np.zeros((self.counts.shape[1], size))
        columns = self.truth[:, None] * self.n_groups + np.arange(self.n_groups)
        np.add.at(cells, (self.question[:, None], columns), flags)
        return np.asarray(self.counts @ cells)

    def _columns(self, name: str, values: np.ndarray) -> dict[str, float | None]:
        if not np.isfinite(values[0]):
            return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
        low, high = np.nanquantile(values[1:], self.tails)
        return {name: float(values[0]), f"{name}_low": float(low), f"{name}_high": float(high)}


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
