"""Search of the hyper-parameters of the embedding net."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna
import polars as pl
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import TrialState

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.schemas import TRIALS
from sociolect.common.seeds import seed_of
from sociolect.embedding.fit_data import FitData
from sociolect.embedding.net import Distance
from sociolect.embedding.net_training import Hyper, train_net
from sociolect.settings.embedding import EmbeddingSettings

__all__ = ["best_trial", "describe_hyper", "search_space", "suggest", "trial_seed", "tune"]


def trial_seed(run_seed: int, number: int) -> int:
    """Seed of a trial's net; the final net takes that of the best trial, and so comes out the same."""
    return seed_of(run_seed, "embedding", "trial", number)


def tune(
    data: FitData,
    settings: EmbeddingSettings,
    run_seed: int,
    progress: Report | None = None,
    journal: Path | None = None,
) -> pl.DataFrame:
    """Search by TPE, pruned by the median of earlier trials, in one process: a table of trials (TRIALS).

    The objective is the val accuracy of nearest group embeddings, not the loss, which scales with the margin. Where
    there is nothing to search (a linear map with one distance) there is one trial.

    Args:
        journal: file that keeps each trial of nets as it ends, so that a search that was killed goes on where it was,
            with the trials that it would have had. One search at a time: a second one would draw the same points. It
            must be of the same settings and data.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3),
        # what is fitted takes seconds, and a distance that was queued is not queued again
        storage=None if journal is None or settings.map != "net" else _storage(journal),
        study_name="embedding",
        load_if_exists=True,
    )

    # what a killed process left under way counts for the sampler, with the few parameters that it had drawn by then
    for left in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(left.number, state=TrialState.FAIL)

    def objective(trial: optuna.Trial) -> float:
        def report(epoch: int, accuracy: float) -> None:
            trial.set_user_attr("epochs", epoch)
            trial.report(accuracy, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        # its place among those that ended, not its number: a killed process leaves a number that did not
        trained = train_net(data, suggest(trial, settings), settings, trial_seed(run_seed, len(_ended(study))), report)
        return trained.accuracy

    space = search_space(settings)
    if settings.map != "net":
        # fitted, not trained: each distance once
        for distance in space.get("distance", ()):
            study.enqueue_trial({"distance": distance}, skip_if_exists=True)
    total = settings.n_trials if settings.map == "net" and space else len(space.get("distance", (0,)))
    kept = len(_ended(study))
    while (done := len(_ended(study))) < total:
        # of its own for each trial, so that a search that goes on draws what it would have drawn; 32 bits for numpy
        seed = seed_of(run_seed, "embedding", "sampler", done) % 2**32
        study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(10, max(1, total // 2)))
        study.optimize(objective, n_trials=1)
        if progress is not None:
            progress(done + 1, total, f"best val accuracy {study.best_value:.3f}", kept)
    return _table(study)


def _storage(journal: Path) -> JournalStorage:
    """Trials in a file that is appended to under a lock, also on a network file system."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(str(journal), JournalFileOpenLock(str(journal))))


def _table(study: optuna.Study) -> pl.DataFrame:
    """TRIALS of what has ended; the first of equals is chosen."""
    ended = _ended(study)
    complete = [i for i, t in enumerate(ended) if t.state == TrialState.COMPLETE]
    best = next(i for i in complete if ended[i].value == study.best_value)
    rows = [
        {
            "trial": number,
            "state": t.state.name.lower(),
            "value": t.value,
            "epochs": t.user_attrs.get("epochs"),
            "params": json.dumps(t.params, sort_keys=True),
            "chosen": number == best,
        }
        for number, t in enumerate(ended)
    ]
    return TRIALS.frame(rows)


def search_space(settings: EmbeddingSettings) -> dict[str, Any]:
    """Hyper-parameter -> the choices (list) or the range (low, high) that map and loss read, if there is a choice.

    What is not in it is either not read or has one value only.
    """
    space: dict[str, Any] = {"distance": list(_distances(settings))}
    if settings.map == "net":
        space |= {
            "width": list(settings.widths),
            "dimension": list(settings.dimensions),
            "dropout": settings.dropout,
            "input_dropout": settings.input_dropout,
            "learning_rate": settings.learning_rate,
            "weight_decay": settings.weight_decay,
            "batch_size": list(settings.batch_sizes),
        }
        if settings.metric_loss == "triplet":
            space |= {"margin": settings.margin, "miner": list(settings.miners)}
        if settings.loss != "triplet" and "cosine" in _distances(settings):
            space["temperature"] = settings.temperature
    return {name: values for name, values in space.items() if values[0] != values[-1]}


def suggest(trial: optuna.Trial, settings: EmbeddingSettings) -> Hyper:
    """One point of the configured search space."""
    point: dict[str, Any] = _single(settings)
    for name, values in search_space(settings).items():
        if isinstance(values, list):
            point[name] = trial.suggest_categorical(name, values)
        else:
            point[name] = trial.suggest_float(name, *values, log=not name.endswith("dropout"))
    return Hyper(**point)


def best_trial(trials: pl.DataFrame, settings: EmbeddingSettings) -> tuple[int, Hyper, float]:
    """Number, hyper-parameters and val accuracy of the chosen trial.

    Raises:
        InputError: no trial, or more than one, is chosen.
    """
    chosen = trials.filter(pl.col("chosen"))
    if chosen.height != 1:
        raise InputError(f"{chosen.height} trials are marked as chosen, expected one; run tune_embedding again")
    row = chosen.row(0, named=True)
    return row["trial"], Hyper(**_single(settings) | json.loads(row["params"])), row["value"]


def describe_hyper(hyper: Hyper) -> dict[str, object]:
    """Hyper-parameters as plain values."""
    return asdict(hyper)


def _single(settings: EmbeddingSettings) -> dict[str, Any]:
    """What is not searched: the first of the configured values."""
    if settings.map != "net":
        return {"distance": _distances(settings)[0]}
    return {
        "distance": _distances(settings)[0],
        "margin": settings.margin[0],
        "temperature": settings.temperature[0],
        "width": settings.widths[0],
        "dimension": settings.dimensions[0],
        "dropout": settings.dropout[0],
        "input_dropout": settings.input_dropout[0],
        "learning_rate": settings.learning_rate[0],
        "weight_decay": settings.weight_decay[0],
        "batch_size": settings.batch_sizes[0],
        "miner": settings.miners[0],
    }


def _distances(settings: EmbeddingSettings) -> tuple[Distance, ...]:
    """Distances that the map is made for."""
    if settings.map in ("lda", "whitening"):
        # both are the Euclidean distance's map
        return ("euclidean",)
    if settings.map == "net" and settings.metric_loss in ("multi_similarity", "proxy_anchor"):
        return ("cosine",)
    return settings.distances


def _ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Trials that have come to an end, in their order; what a killed process left under way is none of them."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
