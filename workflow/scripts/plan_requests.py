"""Plan the requests of the eight conditions and of their controls."""

from __future__ import annotations

from sociolect.common.files import read_json
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, GROUPS, REQUESTS, SAMPLES, STEERING
from sociolect.generation.planning import Prompting, examples_of, plan_requests
from sociolect.lm.wordings import open_wording
from sociolect.models.loading import context_of, load_tokenizer
from sociolect.settings.adapters import PlanJob
from sociolect.steering.attribute_weights import named_attributes


def main(job: Job[PlanJob]) -> None:
    """One row per generation."""
    generation, steering = job.settings.generation, job.settings.steering
    wording = open_wording(
        load_tokenizer(job.path("lm")),
        job.options["prompt_style"],
        job.path("prompts"),
        job.path_if_given("document"),
        job.options["prompt_date"],
    )
    job.stage("plan", prompts=wording.style)
    samples, groups, catalogue = (
        job.read("samples", SAMPLES),
        job.read("groups", GROUPS),
        job.read("catalogue", CATALOGUE),
    )
    names, styles = groups["group"].to_list(), named_attributes(groups, catalogue, steering)
    examples = examples_of(samples, names, generation.examples, generation.example_chars)
    best = wording.worded(**read_json(job.path("wording"))["chosen"])
    prompting = Prompting(wording, best, styles, examples, context_of(job.path("lm")))
    have = job.read("steering", STEERING)
    able = {str(method): have.filter(method=method)["group"].unique().to_list() for method in steering.methods}
    frame = plan_requests(samples, names, able, prompting, generation, job.run_seed, job.settings.adapters.enabled)
    job.write(frame, "requests", REQUESTS)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        PlanJob,
        inputs=["samples", "groups", "steering", "catalogue", "lm", "prompts", "wording", "document?"],
        outputs=["requests"],
        options=["prompt_style", "prompt_date"],
        seeded=True,
    )
