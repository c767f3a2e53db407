"""Distil SFAM into a student with one output per attribute, so that an answer costs one pass."""

from __future__ import annotations

from sociolect.common.artifacts import matrix
from sociolect.common.files import atomic_folder
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, DISTILLATION, LABELS
from sociolect.models.loading import pick_device
from sociolect.settings.sfam import StudentJob
from sociolect.sfam.distilling import distil
from sociolect.sfam.model import answer_limit, encode_attributes, encode_texts, load_agreement
from sociolect.sfam.student import build_student, save_student


def main(job: Job[StudentJob]) -> None:
    answers = job.read("answers", DISTILLATION).sort("answer_id")
    labels = answers.select("answer_id").join(job.read("labels", LABELS), on="answer_id", maintain_order="left")
    job.stage("model")
    teacher = load_agreement(job.path("teacher"), job.settings.labeling.max_tokens)
    teacher.model.to(pick_device())
    # the student reads as much of an answer as its teacher did
    sentences = job.read("catalogue", CATALOGUE)["author_sentence"].to_list()
    room = answer_limit(teacher, encode_attributes(teacher, sentences))
    student = build_student(teacher, sentences, room, job.seed("head"))
    done = distil(
        student,
        encode_texts(teacher, answers["answer"].to_list()),
        matrix(labels["style"]),
        answers["part"].to_numpy(),
        job.settings.distillation,
        job.seed("training"),
        job.settings.labeling.tokens_per_batch,
        job.progress("epochs"),
    )
    with atomic_folder(job.outputs["student"]) as folder:
        save_student(done.student, folder)
    job.write_json({"history": done.history}, "history")


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        StudentJob,
        inputs=["answers", "labels", "catalogue", "teacher"],
        outputs=["student", "history"],
        seeded=True,
    )
