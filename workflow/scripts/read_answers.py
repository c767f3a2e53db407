"""Read the groups' train answers, and what else the steering methods ask for, at the output of every block."""

from __future__ import annotations

import polars as pl

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, GROUPS, READINGS, SAMPLES
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import open_wording
from sociolect.settings.steering import ReadingJob
from sociolect.steering.attribute_weights import named_attributes
from sociolect.steering.methods import reads_of
from sociolect.steering.readings import AnswerReader, draw_answers, pool_of, readings_table


def main(job: Job[ReadingJob]) -> None:
    """Means by kind of text, group and fold."""
    settings, steering = job.settings.readings, job.settings.steering
    groups, catalogue = job.read("groups", GROUPS).sort("group"), job.read("catalogue", CATALOGUE)
    samples = job.read("samples", SAMPLES).unique("answer_id", keep="first", maintain_order=True)
    samples = samples.filter(pl.col("group").is_in(groups["group"].to_list()))
    styles = named_attributes(groups, catalogue, steering)
    job.stage("model")
    reader = TransformersBackend(job.path("lm"), settings.batch_tokens, job.options["dtype"])
    wording = open_wording(
        reader.tokenizer,
        job.options["prompt_style"],
        job.path("prompts"),
        job.path_if_given("document"),
        job.options["prompt_date"],
    )
    # the average answer is what adaptive strengths and the forecast start from; content makes a control
    kinds = sorted({"answers", "content", *reads_of(steering.methods)})
    job.stage("readings", kinds=", ".join(kinds), **reader.info())
    drawn = draw_answers(samples, groups["group"].to_list(), settings.answers_per_group, settings.folds)
    progress = job.progress("readings")
    read = AnswerReader(
        reader, wording, pool_of(samples), styles, settings, job.settings.generation, job.run_seed, progress
    )
    table = readings_table(drawn, kinds, {kind: getattr(read, kind) for kind in kinds}, settings.pairs_per_group)
    job.write(table, "readings", READINGS, backend=reader.info())
    reader.close()


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        ReadingJob,
        inputs=["samples*", "groups", "catalogue", "lm", "prompts", "document?"],
        outputs=["readings"],
        options=["dtype", "prompt_style", "prompt_date"],
        seeded=True,
    )
