"""Choose the groups that are large enough, part them into train, val and test, and draw balanced samples."""

from __future__ import annotations

import logging

from sociolect.common.artifacts import write_table
from sociolect.common.runtime import InputError, Job, run_program
from sociolect.common.schemas import CORPUS, SAMPLES, SAMPLING_FUNNEL
from sociolect.corpus.groups import sample_groups
from sociolect.settings.corpus import SamplingSettings

log = logging.getLogger("sociolect")


def main(job: Job[SamplingSettings]) -> None:
    """Write <samples-dir>/<split>.parquet for each split, and the funnel."""
    corpora = job.read_by("splits", "corpus", CORPUS)
    known = list(type(job.settings.minimum).model_fields)
    if not set(corpora) <= set(known):
        raise InputError(f"--splits {','.join(corpora)}: use {', '.join(known)}, separated by commas")
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
        seeded=True,
    )
