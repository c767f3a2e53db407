"""Draw the answers that SFAM scores so that a student can learn from it; balanced over groups."""

from __future__ import annotations

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import DISTILLATION, SAMPLES
from sociolect.corpus.balanced import choose_answers
from sociolect.labels.fit import refuse_overlap
from sociolect.settings.sfam import DistillationSettings


def main(job: Job[DistillationSettings]) -> None:
    settings = job.settings
    samples = job.read_by("splits", "samples", SAMPLES)
    refuse_overlap(samples.values())
    chosen = choose_answers(samples, settings.n_answers, settings.n_heldout, job.seed("choice"))
    job.write(chosen, "answers", DISTILLATION)


if __name__ == "__main__":
    run_program(
        main, __doc__, DistillationSettings, inputs=["samples*"], outputs=["answers"], options=["splits"], seeded=True
    )
