"""Write the report of a run: one HTML page with all tables and figures."""

from __future__ import annotations

from typing import Any

from sociolect.common.artifacts import read_table
from sociolect.common.files import read_json, write_text
from sociolect.common.runtime import InputError, Job, run_program
from sociolect.evaluation.report import PER_EXPERIMENT, SHARED, ExperimentTables, RunTables, model_names, render_report
from sociolect.evaluation.templates import read_page
from sociolect.settings.evaluation import ReportSettings


def main(job: Job[ReportSettings]) -> None:
    """Inputs that are not given leave their section out."""
    page = read_page(job.inputs["template"])
    shared = {kind: read_table(job.path(kind), schema) for kind, schema in SHARED.items() if job.inputs[kind]}
    metrics = read_json(job.path("metrics")) if job.inputs["metrics"] else None
    run = RunTables(job.settings.run, model_names(getattr(job.settings, "models", None)), metrics=metrics, **shared)
    found: dict[str, list[Any]] = {
        kind: [read_table(p, s) for p in job.inputs[kind]] for kind, s in PER_EXPERIMENT.items()
    }
    for kind in ("weights", "choice"):
        found[kind] = [read_json(path) for path in job.inputs[kind]]
    names = list(job.settings.experiments)
    for kind, tables in found.items():
        if tables and len(tables) != len(names):
            raise InputError(f"--{kind} has {len(tables)} files for {len(names)} experiments; give one each, or none")
    experiments = [
        ExperimentTables(name, fit=e.fit, ask=e.ask, **{kind: tables[i] for kind, tables in found.items() if tables})
        for i, (name, e) in enumerate(job.settings.experiments.items())
    ]
    write_text(render_report(run, experiments, page), job.outputs["report"])


if __name__ == "__main__":
    run_program(
        main, __doc__, ReportSettings,
        inputs=[
            "comparison*", "controls*", "contrasts*", "accuracy*", "topic*", "distances*", "sweep*", "groups*",
            "stability*", "nearest*", "weights*", "chain*", "judges*", "agreement*", "judge_contrasts*", "choice*",
            "catalogue?", "funnel?", "sampling?", "left_out?", "steps?", "metrics?", "template*",
        ],
        outputs=["report"],
    )  # fmt: skip
