"""Answer the val questions without steering: what the sweep compares with, and the norms that scale vectors."""

from __future__ import annotations

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import GROUPS, SAMPLES, UNSTEERED
from sociolect.corpus.questions import questions_of
from sociolect.lm.backends import open_backend
from sociolect.lm.fluency import log_perplexities
from sociolect.lm.reading import residual_norms
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import open_wording
from sociolect.settings.steering import UnsteeredJob
from sociolect.steering.trials import answer_requests, unsteered_table


def main(job: Job[UnsteeredJob]) -> None:
    """One answer per question; norms over the tokens of all."""
    generation, groups = job.settings.generation, job.read("groups", GROUPS)["group"].sort().to_list()
    job.stage("models")
    dtype, budget = job.options["dtype"], generation.batch_tokens
    reader = TransformersBackend(job.path("lm"), budget, dtype)
    backend = open_backend(job.options["backend"], job.path("lm"), budget, dtype, job.threads, reader)
    wording = open_wording(
        reader.tokenizer,
        job.options["prompt_style"],
        job.path("prompts"),
        job.path_if_given("document"),
        job.options["prompt_date"],
    )
    job.stage("unsteered answers", **backend.info())
    per_group = job.settings.sweep.questions_per_group
    questions = questions_of(job.read("samples", SAMPLES), groups, "val", per_group)
    prompts, requests = answer_requests(questions, wording, generation, job.run_seed)
    results = {result.id: result for result in backend.generate(requests, job.progress("answers"))}
    found = [results[request.id] for request in requests]
    # thoughts are read, as the model did, and do not count
    before = [(*r.prompt_token_ids, *f.thoughts) for r, f in zip(requests, found, strict=True)]
    tokens = [f.token_ids for f in found]
    norms = residual_norms(reader.model, before, tokens, budget)
    texts = [wording.text_of(r.text) for r in found]
    values = log_perplexities(reader.model, wording, prompts, texts, budget)
    table = unsteered_table(questions, prompts, requests, texts, [len(t) for t in tokens], values)
    job.write(table, "unsteered", UNSTEERED, backend=backend.info())
    job.write_json({"residual_norms": norms}, "norms")
    backend.close()


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        UnsteeredJob,
        inputs=["samples", "groups", "lm", "prompts", "document?"],
        outputs=["unsteered", "norms"],
        options=["dtype", "backend", "prompt_style", "prompt_date"],
        seeded=True,
    )
