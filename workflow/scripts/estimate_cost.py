"""Count the units that the config implies, and multiply them with the probed rates: hours per rule."""

from __future__ import annotations

import logging

from sociolect.attributes.description_prompts import read_description_prompts
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, ESTIMATE, RATES, SAMPLES
from sociolect.estimate.probing import DESCRIBING, TAGGING
from sociolect.estimate.table import estimate_table, verdict
from sociolect.estimate.units import attributes_of, count_work
from sociolect.settings.estimate import EstimateJob

log = logging.getLogger("sociolect")


def main(job: Job[EstimateJob]) -> None:
    """Count, multiply, write."""
    catalogue = job.read("catalogue", CATALOGUE) if job.inputs["catalogue"] else None
    attributes = attributes_of(job.settings, catalogue)
    asked = job.inputs["describing"]
    n_prompts = len(read_description_prompts(asked[0]).prompts) if asked else 0
    rates = job.read("rates", RATES)
    samples = job.read_by("splits", "samples", SAMPLES)
    work = count_work(job.settings, samples, attributes, n_prompts)
    if TAGGING not in rates["probe"] and any(w.probe == TAGGING for w in work):
        log.warning("tagging is not part of the estimate: vLLM's environment, where the probe ran, has no spaCy")
        work = [w for w in work if w.probe != TAGGING]
    if DESCRIBING not in rates["probe"] and any(w.probe == DESCRIBING for w in work):
        prompts = sum(w.units for w in work if w.probe == DESCRIBING)
        log.warning(
            "at most %d prompts to a server are not part of the estimate: only it knows how long it takes", prompts
        )
        work = [w for w in work if w.probe != DESCRIBING]
    frame = estimate_table(work, rates)
    budget = job.settings.estimate.budget_hours
    start = dict(zip(rates["probe"], rates["rate"], strict=True))
    job.write(
        frame, "estimate", ESTIMATE,
        budget_hours=budget, verdict=verdict(frame, budget), attributes=attributes.k, bound=attributes.bound,
        threads=rates["threads"].max(), start_s=start["imports"] + start["loading"],
    )  # fmt: skip


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        EstimateJob,
        inputs=["samples*", "rates", "catalogue?", "describing?"],
        outputs=["estimate"],
        options=["splits"],
    )
