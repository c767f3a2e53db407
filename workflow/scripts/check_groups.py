"""Hold that every experiment has its groups, before anything costs hours, and list what the tables lost on the way."""

from __future__ import annotations

import logging

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CORPUS, CORPUS_FUNNEL, LEFT_OUT, SAMPLES, SAMPLING_FUNNEL
from sociolect.corpus.experiments import check_groups
from sociolect.corpus.left_out import list_left_out, shown_left_out
from sociolect.settings.corpus import GroupSettings

log = logging.getLogger("sociolect")


def main(job: Job[GroupSettings]) -> None:
    """Refuse, or write what was left out."""
    corpora = job.read_by("splits", "corpus", CORPUS)
    samples = job.read_by("splits", "samples", SAMPLES)
    check_groups(samples, {group for corpus in corpora.values() for group in corpus["group"]}, job.settings)
    funnels = job.read_by("splits", "funnels", CORPUS_FUNNEL)
    sampling = job.read("sampling", SAMPLING_FUNNEL)
    left_out = list_left_out(corpora, funnels, samples, sampling, job.settings.experiments)
    for line in shown_left_out(left_out):
        log.info("%s", line)
    job.write(left_out, "left_out", LEFT_OUT)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        GroupSettings,
        inputs=["corpus*", "funnels*", "samples*", "sampling"],
        outputs=["left_out"],
        options=["splits"],
    )
