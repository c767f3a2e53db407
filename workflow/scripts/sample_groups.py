"""Choose the groups that are large enough, part them into train, val and test, and draw balanced samples."""

from __future__ import annotations

import logging

from sociolect.artifacts import read_table, write_table
from sociolect.runtime import InputError, Job, run_program
from sociolect.sampling import sample_groups
from sociolect.schemas import CORPUS, SAMPLES, SAMPLING_FUNNEL
from sociolect.settings import SamplingSettings

log = logging.getLogger("sociolect")


def main(job: Job[SamplingSettings]) -> None:
    """Write <samples-dir>/<split>.parquet for each split, and the funnel."""
    splits, paths = job.options["splits"].split(","), job.inputs["corpus"]
    known = list(type(job.settings.minimum).model_fields)
    if len(splits) != len(paths) or len(set(splits)) != len(splits) or not set(splits) <= set(known):
        raise InputError(
            f"--splits {job.options['splits']} and {len(paths)} --corpus files: "
            f"name each file's split once, of {', '.join(known)}, separated by commas"
        )
    corpora = {split: read_table(path, CORPUS) for split, path in zip(splits, paths, strict=True)}
    samples, funnel = sample_groups(corpora, job.settings, job.run_seed)
    for step in ("below_minimum", "empty_part"):
        for row in funnel.filter(step=step).iter_rows(named=True):
            log.info(
                "left out (%s): split %s group %s, %d answers to %d questions",
                step,
                row["split"],
                row["group"],
                row["n_answers"],
                row["n_questions"],
            )
    for split, frame in samples.items():
        path = job.outputs["samples_dir"] / f"{split}.parquet"
        write_table(frame, path, SAMPLES, job.provenance())
        log.info("wrote %s: %d rows, %d groups", path, frame.height, frame["group"].n_unique())
    job.write(funnel, "funnel", SAMPLING_FUNNEL)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        SamplingSettings,
        inputs=["corpus*"],
        outputs=["samples_dir", "funnel"],
        options=["splits"],
    )
