"""The describer that asks a language model open and targeted questions about an answer's style.

After LISA (Patel et al. 2023, "Learning Interpretable Style Embeddings via Prompting LLMs"), in one step: the model is
asked for sentences "The author uses X." at once. Decoding is greedy. What was generated is kept in a cache of small
files, row by row under the digest of all that decides it, so that a killed job loses at most the piece under way, and
more answers or another prompt redo nothing that is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import polars as pl

from sociolect.attributes.description_prompts import (
    DescriptionPrompt,
    DescriptionPrompts,
    cut_text,
    read_description_prompts,
)
from sociolect.attributes.parsing import Said, read_outputs
from sociolect.common.artifacts import Column, Schema, read_table, write_table
from sociolect.common.digests import digest_of, file_digest
from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.runtime import Job, use_threads
from sociolect.lm.backends import open_backend
from sociolect.lm.requests import Backend, Request
from sociolect.lm.wordings import open_wording
from sociolect.settings.attributes import DescriptionSettings

__all__ = ["OUTPUTS", "describe_answers", "describe_with_model"]

OUTPUTS = Schema(
    "descriptions",
    {
        "key": Column(pl.String, "digest of model, prompt tokens, output limit, pattern and stop strings"),
        "text": Column(pl.String, "what was generated"),
        "finish_reason": Column(pl.String, "stop, stop_string or length"),
    },
    ("key",),
)
PIECE = 256
# what guided decoding holds a model to: lines that the parser reads, as many as the questions ask for
LINES = r"(The author uses [A-Za-z][A-Za-z0-9 ,;:'()/&-]{2,110}\.\n){1,8}"
Encode = Callable[[str | None, str], Sequence[int]]


def describe_answers(
    answers: Sequence[str],
    prompts: DescriptionPrompts,
    backend: Backend,
    encode: Encode,
    settings: DescriptionSettings,
    cache: Path,
    model_key: str,
    context: int | None = None,
    progress: Report | None = None,
    stop: tuple[str, ...] = (),
) -> list[list[Said]]:
    """Ask every question about every answer.

    Args:
        answers: their texts.
        prompts: the questions.
        backend: answers requests.
        encode: (system turn or None, user turn) -> token ids of the rendered prompt.
        settings: limits of prompt and output.
        cache: folder of what was generated; made where it is missing. A file that is not whole is made again.
        model_key: digest of the model and of how it is run.
        context: most tokens of prompt and output together; longer answers are cut to fit.
        progress: called with (done, total) in prompts.
        stop: strings that end what is said.

    Returns:
        For each answer (prompt id with version, sentence as said, attribute or None).

    Raises:
        InputError: a question alone does not fit the context.
    """
    pattern = LINES if settings.guided and backend.guides else None
    decisive = [*([pattern] if pattern else []), *([list(stop)] if stop else [])]
    keys: list[list[str]] = []
    requests: dict[str, Request] = {}
    for answer in answers:
        keys.append([])
        for prompt in prompts.prompts:
            tokens = _fit(answer, prompts, prompt, encode, settings, context)
            key = digest_of([model_key, settings.max_new_tokens, tokens, *decisive])
            keys[-1].append(key)
            # the same text twice is asked once; greedy decoding draws nothing, so any seed will do
            limit = settings.max_new_tokens
            requests[key] = Request(key, tokens, limit, 0.0, top_p=1.0, seed=0, pattern=pattern, stop=stop)
    ids = [prompts.prompt_id(prompt) for prompt in prompts.prompts]
    said = {key: (text, why == "length") for key, (text, why) in _generate(requests, backend, cache, progress).items()}
    return [read_outputs(ids, [said[key] for key in of_answer]) for of_answer in keys]


def describe_with_model(job: Job[DescriptionSettings], answers: Sequence[str]) -> list[list[Said]]:
    """What the language model of a job says of each answer.

    Args:
        job: of `describe_style`, with a folder `model`, a file `prompts` and the flags that say how it is run.
        answers: their texts.
    """
    use_threads(job.threads)
    prompts, settings = read_description_prompts(job.path("prompts")), job.settings
    choice, dtype, style, date = (job.options[o] for o in ("backend", "dtype", "prompt_style", "prompt_date"))
    backend = open_backend(choice, job.path("model"), settings.batch_tokens, dtype, job.threads)
    wording = open_wording(backend.tokenizer, style, document_file=job.path_if_given("document"), date=date)
    key, cache = digest_of([file_digest(job.path("model")), backend.info()]), Path(job.options["cache"])

    def encode(system: str | None, user: str) -> Sequence[int]:
        return wording.encode(wording.render_request(system, user))

    progress = job.progress("describe")
    said = describe_answers(
        answers, prompts, backend, encode, settings, cache, key, backend.context, progress, wording.describer_stop
    )
    backend.close()
    return said


def _fit(
    answer: str,
    prompts: DescriptionPrompts,
    prompt: DescriptionPrompt,
    encode: Encode,
    settings: DescriptionSettings,
    context: int | None,
) -> tuple[int, ...]:
    text = cut_text(answer, settings.max_prompt_chars)
    while True:
        ids = tuple(encode(prompts.system, prompts.user_turn(prompt, text)))
        if context is None or len(ids) + settings.max_new_tokens <= context:
            return ids
        if not text:
            raise InputError(
                f"prompt {prompt.id!r} has {len(ids)} tokens without an answer; with description.max_new_tokens "
                f"{settings.max_new_tokens} it exceeds the model's {context}: lower max_new_tokens or shorten it"
            )
        text = cut_text(text, int(0.9 * len(text)))


def _generate(
    requests: Mapping[str, Request], backend: Backend, cache: Path, progress: Report | None
) -> dict[str, tuple[str, str]]:
    outputs = {key: value for key, value in _cached(cache) if key in requests}
    # similar lengths together: what is left after a kill falls into the same pieces
    missing = sorted(requests.keys() - outputs.keys(), key=lambda k: (-len(requests[k].prompt_token_ids), k))
    size = len(missing) if backend.one_queue else PIECE
    for start in range(0, len(missing), max(1, size)):
        results = backend.generate([requests[key] for key in missing[start : start + size]])
        while ready := sorted(islice(((r.id, r.text, r.finish_reason) for r in results), PIECE)):
            frame = OUTPUTS.frame(ready)
            write_table(frame, cache / f"{digest_of([key for key, _, _ in ready])}.parquet", OUTPUTS)
            outputs |= {key: (text, reason) for key, text, reason in ready}
            if progress is not None:
                progress(len(outputs), len(requests))
    return outputs


def _cached(cache: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    for path in sorted(cache.glob("*.parquet")):
        try:
            frame = read_table(path, OUTPUTS)
        except InputError:
            # not whole: its rows are generated again
            continue
        for key, text, reason in frame.iter_rows():
            yield key, (text, reason)
