"""All figures of a report, by what they are about; one for which there is nothing to draw is left out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sociolect.report.corpus_figures import attribute_funnel, sampling_funnel
from sociolect.report.drawing import Picture
from sociolect.report.effect_figures import damage_plot, forest_plot, shift_plot
from sociolect.report.group_figures import accuracy_plot, confusion_plot, distance_plot, map_plot, nearest_plot
from sociolect.report.profile_figures import weights_plot
from sociolect.report.run_tables import ExperimentTables, RunTables, some
from sociolect.report.sfam_figures import fidelity_plot, slices_plot, steps_plot
from sociolect.report.sweep_figures import cost_plot, sweep_map
from sociolect.report.time_figures import times_plot

__all__ = ["pictures_of"]

Pictures = dict[str, Picture | None]
_OF_EXPERIMENT = (
    *("forest", "shift", "damage", "sweep", "cost", "accuracy", "confusion", "nearest", "distances", "map", "weights"),
)


def pictures_of(run: RunTables, experiments: Sequence[ExperimentTables]) -> dict[str, Pictures]:
    """Figures of each experiment by its name, and of the run under the empty name; None where there is nothing to draw.

    Args:
        run: tables of the run; experiments: tables of each experiment.
    """
    return {"": _of_run(run)} | {e.name: _of_experiment(e) for e in experiments}


def _of_run(run: RunTables) -> Pictures:
    return {
        "sampling": sampling_funnel(run.sampling, run.run) if some(run.sampling) else None,
        "attributes": attribute_funnel(run.funnel, run.run) if some(run.funnel) else None,
        "steps": steps_plot(run.steps, run.run) if some(run.steps) else None,
        "slices": slices_plot(run.metrics, run.run) if run.metrics else None,
        "fidelity": fidelity_plot(run.fidelity, run.run) if some(run.fidelity) else None,
        "times": times_plot(run.took, run.gpus, run.run),
    }


def _of_experiment(e: ExperimentTables) -> Pictures:
    found: Pictures = dict.fromkeys(_OF_EXPERIMENT)
    if some(e.judges):
        found |= {"forest": forest_plot(e.judges, e.name), "shift": shift_plot(e.judges, e.name)}
    if some(e.comparison) and some(e.contrasts):
        rows = pl.concat([frame for frame in (e.comparison, e.controls) if some(frame)])
        found["damage"] = damage_plot(rows, e.contrasts, e.name)
    if some(e.sweep):
        found |= {"sweep": sweep_map(e.sweep, e.name), "cost": cost_plot(e.sweep, e.name)}
    if some(e.accuracy):
        found["accuracy"] = accuracy_plot(e.accuracy, e.topic, e.name)
        found["confusion"] = confusion_plot(e.accuracy, e.name)
    if some(e.nearest):
        found["nearest"] = nearest_plot(e.nearest, e.name)
    if some(e.distances):
        found["distances"] = distance_plot(e.distances, e.name)
    if some(e.groups) and some(e.embeddings):
        found["map"] = map_plot(e.embeddings, e.groups, e.name)
    if some(e.groups) and e.weights:
        chosen = e.choice["method"] if e.choice else None
        found["weights"] = weights_plot(e.weights, e.groups, chosen, e.name)
    return found
