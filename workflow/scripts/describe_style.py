"""Describe the style of chosen answers in sentences 'The author uses X.'"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sociolect.attributes.measured import describe_by_measures
from sociolect.attributes.parsing import Said, sentence_table
from sociolect.common.digests import digest_of, file_digest
from sociolect.common.runtime import InputError, Job, run_program, use_threads
from sociolect.common.schemas import SAMPLES, SENTENCES
from sociolect.corpus.balanced import choose_answers
from sociolect.settings.attributes import DescriptionSettings
from sociolect.syntax.lookup import read_rows


def main(job: Job[DescriptionSettings]) -> None:
    settings = job.settings
    samples = job.read_by("splits", "samples", SAMPLES)
    chosen = choose_answers(samples, settings.n_answers, settings.n_heldout, job.seed("choice"))
    job.stage(f"describe by {settings.describer}", answers=chosen.height)
    match settings.describer:
        case "stylometry":
            said = describe_by_measures(chosen, settings.quantile, read_rows(job.inputs["tagged"], chosen))
        case "llm":
            said = by_llm(job, chosen)
    job.write(sentence_table(chosen, said, settings.describer), "sentences", SENTENCES)


def by_llm(job: Job[DescriptionSettings], chosen: pl.DataFrame) -> list[list[Said]]:
    # imported here: stylometry must not wait for torch
    from sociolect.attributes.llm import describe_answers, read_description_prompts
    from sociolect.lm.backends import open_backend
    from sociolect.lm.wordings import open_wording

    use_threads(job.threads)
    if not job.inputs["model"] or not job.inputs["prompts"]:
        raise InputError("description.describer is llm: give --model (folder of the language model) and --prompts")
    prompts, settings = read_description_prompts(job.path("prompts")), job.settings
    choice, dtype, style, date = (job.options[o] for o in ("backend", "dtype", "prompt_style", "prompt_date"))
    backend = open_backend(choice, job.path("model"), settings.batch_tokens, dtype, job.threads)
    wording = open_wording(backend.tokenizer, style, document_file=job.path_if_given("document"), date=date)
    key, cache = digest_of([file_digest(job.path("model")), backend.info()]), Path(job.options["cache"])
    said = describe_answers(
        chosen["answer"].to_list(), prompts, backend,
        lambda system, user: wording.encode(wording.render_request(system, user)),
        settings, cache, key, backend.context, job.progress("describe"), wording.describer_stop,
    )  # fmt: skip
    backend.close()
    return said


if __name__ == "__main__":
    run_program(
        main, __doc__, DescriptionSettings,
        inputs=["samples*", "model?", "prompts?", "document?", "tagged*"], outputs=["sentences"],
        options=["splits", "cache", "dtype", "backend", "prompt_style", "prompt_date"], seeded=True,
    )  # fmt: skip
