"""Compare the student with SFAM on test answers; end with an error where it does not follow."""

from __future__ import annotations

import logging

from sociolect.common.artifacts import matrix
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, DISTILLATION, FIDELITY, LABELS
from sociolect.embedding.baselines import group_accuracy
from sociolect.labels.labelers import load_scorer
from sociolect.settings.sfam import StudentJob
from sociolect.sfam.fidelity import check_fidelity, fidelity_table, summarize


def main(job: Job[StudentJob]) -> None:
    answers = job.read("answers", DISTILLATION).sort("answer_id")
    labels = answers.select("answer_id").join(job.read("labels", LABELS), on="answer_id", maintain_order="left")
    catalogue = job.read("catalogue", CATALOGUE)
    job.stage("model")
    scorer = load_scorer(job.path("student"), catalogue, job.settings.labeling)
    teacher = matrix(labels["style"])
    student = scorer.score(answers["answer"].to_list(), job.progress("answers")).scores
    parts, groups = answers["part"].to_numpy(), answers["group"].to_list()
    test = parts == "test"
    table = fidelity_table(catalogue, teacher[test], student[test])
    summary = summarize(table, *(group_accuracy(style, groups, parts) for style in (teacher, student)))
    logging.getLogger("sociolect").info("%s", summary)
    check_fidelity(summary, job.settings.distillation.min_pearson)
    job.write(table, "fidelity", FIDELITY)
    job.write_json(summary, "summary")


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        StudentJob,
        inputs=["answers", "labels", "catalogue", "student"],
        outputs=["fidelity", "summary"],
    )
