"""Draw the answers that SFAM scores so that a student can learn from it; balanced over groups."""

from __future__ import annotations

from sociolect.choice import choose_answers
from sociolect.experiments import samples_by_split
from sociolect.runtime import Job, run_program
from sociolect.schemas import DISTILLATION
from sociolect.settings import DistillationSettings


def main(job: Job[DistillationSettings]) -> None:
    settings = job.settings
    chosen = choose_answers(samples_by_split(job), settings.n_answers, settings.n_heldout, job.seed("choice"))
    job.write(chosen, "answers", DISTILLATION)


if __name__ == "__main__":
    run_program(
        main, __doc__, DistillationSettings, inputs=["samples*"], outputs=["answers"], options=["splits"]
    )  # fmt: skip
