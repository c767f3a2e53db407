"""The groups of an experiment, and of the config's parents: known as soon as the samples are drawn."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from sociolect.common.errors import InputError
from sociolect.settings.base import Experiment
from sociolect.settings.corpus import GroupSettings

__all__ = ["check_groups", "experiment_faults", "groups_of", "parent_faults"]


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


def experiment_faults(
    samples: Mapping[str, pl.DataFrame], experiments: Mapping[str, Experiment]
) -> Iterator[tuple[str, str]]:
    """(experiment, why) of those that fewer than two groups are left of, where all their splits are given.

    Args:
        samples: split -> frame with the column group.
        experiments: of the config.
    """
    for name, experiment in experiments.items():
        if {*experiment.fit, experiment.ask} <= samples.keys():
            try:
                groups_of([samples[split] for split in experiment.fit], samples[experiment.ask])
            except InputError as error:
                yield name, str(error)


def parent_faults(parents: Mapping[str, str], groups: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(group, why) of the config's groups with a parent that no table has: it would be left without its parent."""
    known = sorted(groups)
    for name in parents:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"write {near[0]!r}; the groups are" if near else "the groups are"
            yield name, f"no table has such a group; {hint} {', '.join(known)}"


def check_groups(samples: Mapping[str, pl.DataFrame], groups: Iterable[str], settings: GroupSettings) -> None:
    """Hold the groups against the config.

    Args:
        samples: split -> SAMPLES.
        groups: all groups of the corpora.
        settings: experiments and parents.

    Raises:
        InputError: an experiment has fewer than two groups, or a group with a parent does not exist.
    """
    lines = [f"group_parents.{name}: {why}" for name, why in parent_faults(settings.group_parents, groups)]
    lines += [f"experiments.{name}: {why}" for name, why in experiment_faults(samples, settings.experiments)]
    if lines:
        raise InputError("; ".join(lines))


def _counts(frame: pl.DataFrame) -> str:
    counts = frame["group"].value_counts().sort("group")
    return ", ".join(f"{group} {n}" for group, n in counts.iter_rows()) or "none"
