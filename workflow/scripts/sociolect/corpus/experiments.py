"""The groups of an experiment, and of the config's parents: known as soon as the samples are drawn."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from sociolect.common.errors import InputError
from sociolect.settings.base import Experiment

__all__ = ["check_experiments", "check_parents", "groups_of"]


def groups_of(fit_frames: Sequence[pl.DataFrame], ask_frame: pl.DataFrame) -> list[str]:
    """Groups of the fit splits that are also in the ask split, alphabetical.

    Raises:
        InputError: fewer than two groups are left; the message counts answers per group.
    """
    fitted = {g for frame in fit_frames for g in frame["group"].unique()}
    groups = sorted(fitted & set(ask_frame["group"].unique()))
    if len(groups) < 2:
        fit = pl.concat([frame.select("group") for frame in fit_frames])
        raise InputError(
            f"an experiment needs two groups that are in its fit and its ask splits, but has {len(groups)}; "
            f"answers in fit: {_counts(fit)}; in ask: {_counts(ask_frame)}. Lower sampling.minimum, or change "
            "the experiment's fit or ask"
        )
    return groups


def check_experiments(samples: Mapping[str, pl.DataFrame], experiments: Mapping[str, Experiment]) -> None:
    """Refuse experiments that fewer than two groups are left of.

    Args:
        samples: split -> frame with the column group.
        experiments: of the config.

    Raises:
        InputError: naming the experiment, with the answers per group.
    """
    for name, experiment in experiments.items():
        try:
            groups_of([samples[split] for split in experiment.fit], samples[experiment.ask])
        except InputError as error:
            raise InputError(f"experiments.{name}: {error}") from None


def check_parents(parents: Mapping[str, str], groups: Iterable[str]) -> None:
    """Refuse a parent of a group that no table has: a slip of the pen would leave the group without its parent.

    Raises:
        InputError: naming the group, what it may have been, and the groups there are.
    """
    known = sorted(groups)
    for name in parents:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"write {near[0]!r}; the groups are" if near else "the groups are"
            raise InputError(f"group_parents.{name}: no table has such a group; {hint} {', '.join(known)}")


def _counts(frame: pl.DataFrame) -> str:
    counts = frame["group"].value_counts().sort("group")
    return ", ".join(f"{group} {n}" for group, n in counts.iter_rows()) or "none"
