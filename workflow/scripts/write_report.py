"""Write the report of a run: one HTML page with all tables and figures."""

from __future__ import annotations

import json

from sociolect import schemas
from sociolect.artifacts import Schema, read_table, write_text
from sociolect.report import ExperimentTables, RunTables, render_report
from sociolect.runtime import InputError, Job, run_program
from sociolect.settings import HubModel, ReportSettings

PER_EXPERIMENT = {
    "comparison": schemas.COMPARISON,
    "controls": schemas.COMPARISON,
    "contrasts": schemas.CONTRASTS,
    "accuracy": schemas.ACCURACY,
    "distances": schemas.GROUP_DISTANCES,
    "sweep": schemas.SWEEP,
    "groups": schemas.GROUPS,
    "nearest": schemas.NEAREST,
}
SHARED: dict[str, Schema] = {
    "catalogue": schemas.CATALOGUE,
    "funnel": schemas.CATALOGUE_FUNNEL,
    "sampling": schemas.SAMPLING_FUNNEL,
}


def main(job: Job[ReportSettings]) -> None:
    """Inputs that are not given leave their section out."""
    names = list(job.settings.experiments)
    tables: dict[str, dict[str, object]] = {name: {} for name in names}
    for kind, schema in PER_EXPERIMENT.items():
        paths = job.inputs[kind]
        if paths and len(paths) != len(names):
            raise InputError(f"--{kind} has {len(paths)} files for {len(names)} experiments; give one each, or none")
        for name, path in zip(names, paths, strict=False):
            tables[name][kind] = read_table(path, schema)
    shared = {kind: read_table(job.path(kind), schema) for kind, schema in SHARED.items() if job.inputs[kind]}
    metrics = json.loads(job.path("metrics").read_text(encoding="utf-8")) if job.inputs["metrics"] else None
    models = {}
    if "models" in job.settings.model_fields_set and job.settings.models is not None:
        for name in ("sfam", "lm"):
            model = getattr(job.settings.models, name)
            models[name] = f"{model.repo} @ {model.revision[:8]}" if isinstance(model, HubModel) else model
    run = RunTables(job.settings.run, models, metrics=metrics, **shared)
    experiments = [
        ExperimentTables(name, fit=e.fit, ask=e.ask, **tables[name])  # type: ignore[arg-type]
        for name, e in job.settings.experiments.items()
    ]
    write_text(render_report(run, experiments, job.path("template").read_text(encoding="utf-8")), job.outputs["report"])


if __name__ == "__main__":
    inputs = [f"{kind}*" for kind in PER_EXPERIMENT] + [f"{kind}?" for kind in (*SHARED, "metrics")] + ["template"]
    run_program(main, __doc__, ReportSettings, inputs=inputs, outputs=["report"])
