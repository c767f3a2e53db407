"""Train a small adapter per group on its train answers, and answer with it; groups that are done are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from sociolect.common.digests import digest_of, file_digest
from sociolect.common.pieces import PieceStore
from sociolect.common.runtime import Job, package_versions, run_program
from sociolect.common.schemas import GENERATIONS, REQUESTS, SAMPLES
from sociolect.common.seeds import seed_of
from sociolect.generation.asking import ask_plainly
from sociolect.generation.conditions import ADAPTED
from sociolect.generation.low_rank import adapted, training_pairs
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import open_wording
from sociolect.models.loading import end_tokens, load_causal_lm, load_tokenizer
from sociolect.settings.adapters import AdapterJob


def main(job: Job[AdapterJob]) -> None:
    settings, generation = job.settings.adapters, job.settings.generation
    requests = job.read("requests", REQUESTS).filter(method=ADAPTED)
    parts = {n: part for n, (_, part) in enumerate(requests.sort("target").group_by("target", maintain_order=True))}
    train = job.read("samples", SAMPLES).filter(part="train").unique("answer_id").sort("answer_id")
    folder, dtype, style = job.path("lm"), job.options["dtype"], job.options["prompt_style"]
    tokenizer, date = load_tokenizer(folder), job.options["prompt_date"]
    wording = open_wording(tokenizer, style, job.path("prompts"), job.path_if_given("document"), date)
    end = min(end_tokens(folder, tokenizer), default=None)
    job.stage("adapters", groups=len(parts))

    def answer(missing: Sequence[int]) -> Iterator[tuple[int, pl.DataFrame]]:
        for number in missing:
            group = parts[number]["target"][0]
            own, most = train.filter(group=group), generation.max_question_chars
            prompts = [wording.render("question", q[:most], group, ()) for q in own["question"]]
            pairs = training_pairs(wording.continuations(prompts, own["answer"].to_list()), end, settings.max_tokens)
            seed = seed_of(job.run_seed, "adapter", group)
            model = adapted(load_causal_lm(folder, dtype), pairs, settings, seed, job.progress("training"))
            backend = TransformersBackend(folder, generation.batch_tokens, dtype, model=model)
            table = ask_plainly(backend, wording, parts[number], generation)
            backend.close()
            del model, backend  # the next group's must not lie beside it
            yield number, table

    decisive = [file_digest(folder), file_digest(job.path("samples")), wording.style, wording.stop, dtype]
    key = digest_of([decisive, job.settings_digest, job.code, package_versions()])
    store = PieceStore(Path(job.options["cache"]), key, GENERATIONS)
    frames = store.complete({number: digest_of(part.to_dicts()) for number, part in parts.items()}, answer)
    job.write(pl.concat([GENERATIONS.empty(), *frames]).sort("request_id"), "generations", GENERATIONS)


if __name__ == "__main__":
    run_program(
        main, __doc__, AdapterJob, inputs=["requests", "samples", "lm", "prompts", "document?"],
        outputs=["generations"], options=["dtype", "prompt_style", "prompt_date", "cache"], seeded=True,
    )  # fmt: skip
