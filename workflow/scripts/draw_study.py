"""Draw the embedding study: its findings, learning curves, margins, confusion, and a map of the run's embeddings."""

from __future__ import annotations

import jinja2
import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.files import write_text
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import EMBEDDINGS, GROUPS, STUDY, STUDY_ANSWERS
from sociolect.settings.study import StudySettings
from sociolect.study.study_figures import confusion_plot, learning_curve, map_plot, margin_plot
from sociolect.study.study_findings import study_findings


def main(job: Job[StudySettings]) -> None:
    study, groups = job.read("study", STUDY), job.read("groups", GROUPS).sort("group")
    test = job.read("embeddings", EMBEDDINGS).filter(pl.col("part") == "test").sort("split", "answer_id")
    job.stage("map", answers=test.height)
    names = groups["group"].to_list()
    centers = matrix(groups["embedding"])
    figures = {
        "Test answers and group embeddings": map_plot(
            matrix(test["embedding"]), test["group"].to_list(), centers, names, job.seed("map")
        ),
        "Confusion on test": confusion_plot(job.read("reference", STUDY_ANSWERS)),
        "Learning curve": learning_curve(study),
        "Accuracy by margin": margin_plot(study),
    }
    template = jinja2.Template(job.path("template").read_text(encoding="utf-8"), autoescape=True)
    page = template.render(
        experiment=job.options["experiment"], findings=study_findings(study, job.settings.axes), figures=figures
    )
    write_text(page, job.outputs["page"])


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        StudySettings,
        inputs=["study", "reference", "embeddings", "groups", "template"],
        outputs=["page"],
        options=["experiment"],
        seeded=True,
    )
