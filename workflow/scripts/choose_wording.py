"""Choose the wording of prompts on val: the one by which prompting moves style most."""

from __future__ import annotations

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, GROUPS
from sociolect.lm.wordings import open_wording
from sociolect.settings.steering import WordingJob
from sociolect.steering.attribute_weights import named_attributes
from sociolect.steering.trying import open_bench
from sociolect.steering.val_judges import perplexity_by
from sociolect.steering.wording_trials import best_wording, read_instructions, wording_outcomes


def main(job: Job[WordingJob]) -> None:
    """The figures of all wordings, and the chosen one."""
    groups, catalogue = job.read("groups", GROUPS), job.read("catalogue", CATALOGUE)
    styles = named_attributes(groups, catalogue, job.settings.steering)
    bench, generation = open_bench(job), job.settings.generation
    wording = open_wording(
        bench.reader.tokenizer,
        job.options["prompt_style"],
        job.path("prompts"),
        job.path_if_given("document"),
        job.options["prompt_date"],
    )
    found = read_instructions(job.path("wordings"), wording)
    perplexity = perplexity_by(bench.reader, wording, generation.batch_tokens)
    outcomes = wording_outcomes(
        found, bench.unsteered, styles, wording, bench.backend, generation, bench.judge, perplexity
    )
    job.write_json(best_wording(found, outcomes), "wording")
    bench.backend.close()


if __name__ == "__main__":
    run_program(
        main, __doc__, WordingJob,
        inputs=[
            "unsteered", "norms", "groups", "catalogue", "lm", "sfam", "embedding", "judges", "prompts", "wordings",
            "document?",
        ],
        outputs=["wording"], options=["dtype", "backend", "prompt_style", "prompt_date"],
    )  # fmt: skip
