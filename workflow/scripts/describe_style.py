"""Describe the style of chosen answers in sentences 'The author uses X.'"""

from __future__ import annotations

from typing import Any

from sociolect.attributes.describers import DESCRIBERS
from sociolect.attributes.parsing import sentence_table
from sociolect.common.runtime import InputError, Job, run_program
from sociolect.common.schemas import SAMPLES, SENTENCES
from sociolect.corpus.balanced import choose_answers
from sociolect.settings.attributes import DescriptionSettings
from sociolect.syntax.lookup import read_rows


def main(job: Job[DescriptionSettings]) -> None:
    settings, who = job.settings, dict[str, Any]()
    samples = job.read_by("splits", "samples", SAMPLES)
    chosen = choose_answers(samples, settings.n_answers, settings.n_heldout, job.seed("choice"))
    answers = chosen["answer"].to_list()
    job.stage(f"describe by {settings.describer}", answers=chosen.height)
    # imported here: who measures, or asks a server, must not wait for torch
    if settings.describer != "llm":
        said = DESCRIBERS[settings.describer](chosen, settings, read_rows(job.inputs["tagged"], chosen))
    elif not job.inputs["prompts"]:
        raise InputError("description.describer is llm: give --prompts")
    elif job.options["server"] != "none":
        from sociolect.attributes.served import describe_with_server

        said, who["backend"] = describe_with_server(job, answers)
    elif job.inputs["model"]:
        from sociolect.attributes.llm import describe_with_model

        said = describe_with_model(job, answers)
    else:
        raise InputError("description.describer is llm: give --model (folder of the language model) or --server")
    job.write(sentence_table(chosen, said, settings.describer), "sentences", SENTENCES, **who)


if __name__ == "__main__":
    run_program(
        main, __doc__, DescriptionSettings,
        inputs=["samples*", "model?", "prompts?", "document?", "tagged*"], outputs=["sentences"],
        options=["splits", "cache", "dtype", "backend", "server", "prompt_style", "prompt_date"], seeded=True,
    )  # fmt: skip
