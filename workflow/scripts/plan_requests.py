"""Plan the requests of the eight conditions and of their controls."""

from __future__ import annotations

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, GROUPS, REQUESTS, SAMPLES
from sociolect.generation.planning import plan_requests
from sociolect.lm.wordings import open_wording
from sociolect.models.loading import load_tokenizer
from sociolect.settings.generation import GenerationSettings


def main(job: Job[GenerationSettings]) -> None:
    """One row per generation."""
    wording = open_wording(
        load_tokenizer(job.path("lm")), job.options["prompt_style"], job.path("prompts"), job.path_if_given("document")
    )
    job.stage("plan", prompts=wording.style)
    frame = plan_requests(
        job.read("samples", SAMPLES),
        job.read("groups", GROUPS),
        job.read("catalogue", CATALOGUE),
        wording,
        job.settings,
        job.run_seed,
    )
    job.write(frame, "requests", REQUESTS)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        GenerationSettings,
        inputs=["samples", "groups", "catalogue", "lm", "prompts", "document?"],
        outputs=["requests"],
        options=["prompt_style"],
        seeded=True,
    )
