"""Write the report of a run: what was found in five sentences, all figures as SVG and PDF, and one HTML page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sociolect.common.artifacts import read_table
from sociolect.common.files import atomic_folder, read_json, write_text
from sociolect.common.runtime import InputError, Job, run_program
from sociolect.estimate.run_times import actual_hours
from sociolect.evaluation.templates import read_page
from sociolect.report.drawing import write_pictures
from sociolect.report.gallery import pictures_of
from sociolect.report.page import render_report
from sociolect.report.run_findings import findings_of, findings_text
from sociolect.report.run_tables import PER_EXPERIMENT, SHARED, ExperimentTables, RunTables, model_names
from sociolect.settings.pages import ReportSettings


def main(job: Job[ReportSettings]) -> None:
    """Inputs that are not given leave their section out. What jobs took is read as it lies now: it is no input."""
    page = read_page(job.inputs["template"])
    shared: dict[str, Any] = {k: read_table(job.path(k), schema) for k, schema in SHARED.items() if job.inputs[k]}
    shared |= {"metrics": read_json(job.path("metrics"))} if job.inputs["metrics"] else {}
    took, gpus = actual_hours(Path(job.options["times"])), json.loads(job.options["gpus"])
    models, confidence = model_names(job.settings.models), job.settings.evaluation.confidence
    run = RunTables(job.settings.run, models, confidence, took=took, gpus=gpus, **shared)
    found: dict[str, list[Any]] = {k: [read_table(p, s) for p in job.inputs[k]] for k, s in PER_EXPERIMENT.items()}
    found |= {kind: [read_json(path) for path in job.inputs[kind]] for kind in ("weights", "choice")}
    named = job.settings.experiments
    for kind, tables in found.items():
        if tables and len(tables) != len(named):
            raise InputError(f"--{kind} has {len(tables)} files for {len(named)} experiments; give one each, or none")
    experiments = [
        ExperimentTables(name, fit=e.fit, ask=e.ask, **{kind: tables[i] for kind, tables in found.items() if tables})
        for i, (name, e) in enumerate(named.items())
    ]
    findings = [findings_of(run, e) for e in experiments]
    pictures = pictures_of(run, experiments)
    with atomic_folder(job.outputs["figures"]) as folder:
        write_pictures([p for of in pictures.values() for p in of.values() if p is not None], folder)
    write_text(findings_text(run, list(zip(named, findings, strict=True))), job.outputs["findings"])
    write_text(render_report(run, experiments, findings, pictures, page), job.outputs["report"])


if __name__ == "__main__":
    run_program(
        main, __doc__, ReportSettings,
        inputs=[
            "comparison*", "controls*", "contrasts*", "accuracy*", "topic*", "embeddings*", "distances*", "sweep*",
            "groups*", "stability*", "nearest*", "weights*", "chain*", "ceilings*", "judges*", "agreement*",
            "judge_contrasts*", "choice*", "catalogue?", "funnel?", "sampling?", "left_out?", "steps?", "fidelity?",
            "metrics?", "template*",
        ],
        outputs=["report", "findings", "figures"],
        options=["times", "gpus"],
    )  # fmt: skip
