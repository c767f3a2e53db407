"""Draw the answers that SFAM scores so that a student can learn from it; balanced over groups."""

from __future__ import annotations

from sociolect.artifacts import read_table
from sociolect.choice import choose_answers
from sociolect.runtime import InputError, Job, run_program
from sociolect.schemas import DISTILLATION, SAMPLES
from sociolect.settings import DistillationSettings


def main(job: Job[DistillationSettings]) -> None:
    splits, paths = job.options["splits"].split(","), job.inputs["samples"]
    if len(set(splits)) != len(paths) or len(splits) != len(paths):
        raise InputError(f"--splits {','.join(splits)} and {len(paths)} --samples files: name each file's split once")
    samples = {split: read_table(path, SAMPLES) for split, path in zip(splits, paths, strict=True)}
    chosen = choose_answers(samples, job.settings.n_answers, job.settings.n_heldout, job.seed("choice"))
    job.write(chosen, "answers", DISTILLATION)


if __name__ == "__main__":
    run_program(
        main, __doc__, DistillationSettings, inputs=["samples*"], outputs=["answers"], options=["splits"]
    )  # fmt: skip
