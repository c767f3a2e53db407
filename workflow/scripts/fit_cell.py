"""Fit one cell of the embedding study: a search of its own, some nets, and what they tell of val and test answers."""

from __future__ import annotations

import json
from pathlib import Path

from sociolect.common.artifacts import vectors
from sociolect.common.digests import digest_of
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import LABELS, SAMPLES, STUDY_ANSWERS
from sociolect.labels.fit import labeled_answers
from sociolect.settings.study import StudyJob, embedding_cells
from sociolect.sfam.threshold import read_threshold
from sociolect.study.embedding_cell import run_cell
from sociolect.stylometry.stylometry import log_rates, measure_answers
from sociolect.syntax.lookup import read_rows


def main(job: Job[StudyJob]) -> None:
    frame = labeled_answers(
        job.read_by("splits", "samples", SAMPLES), job.read_by("splits", "labels", LABELS), job.read("ask", SAMPLES)
    )
    cell = embedding_cells()[job.options["cell"]]
    tagged = read_rows(job.inputs["tagged"], frame)
    if cell.features == "measures":
        measured = measure_answers(frame["answer"].to_list(), tagged)
        frame = frame.with_columns(vectors(log_rates(measured), "style"))
    about = digest_of([cell.model_dump(), job.provenance()])
    job.stage("cell", shown=cell.shown)
    table = run_cell(
        frame,
        cell,
        job.settings.embedding,
        job.settings.study,
        json.loads(job.options["group_parents"]),
        read_threshold(job.path("metrics")),
        Path(job.options["cache"]) / f"{about}.journal",
        job.run_seed,
        job.progress("trials"),
        tagged,
    )
    job.write(table, "answers", STUDY_ANSWERS)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        StudyJob,
        inputs=["samples*", "labels*", "ask", "metrics", "tagged*"],
        outputs=["answers"],
        options=["splits", "cell", "group_parents", "cache"],
        seeded=True,
    )
