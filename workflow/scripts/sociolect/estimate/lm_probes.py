"""The language model, timed: its training from scratch, describing, activations, generated tokens and fluency."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from sociolect.attributes.description_prompts import read_description_prompts
from sociolect.attributes.llm import describe_answers
from sociolect.common.progress import Report
from sociolect.estimate.probing import Timed, time_rounds, time_steps
from sociolect.estimate.texts import attribute_table
from sociolect.lm.backends import open_backend
from sociolect.lm.fluency import log_perplexities
from sociolect.lm.hooks import width_of
from sociolect.lm.prompts import PROMPT_KINDS
from sociolect.lm.requests import Backend, Request, SteerRef, write_vectors
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import Wording, open_wording
from sociolect.scratch.causal_lm import build_causal_lm, train_causal_lm
from sociolect.scratch.chats import make_chats, read_condition_texts
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.estimate import ProbeJob
from sociolect.steering.activations import attribute_vectors
from sociolect.stylometry.style_attributes import ATTRIBUTES
from sociolect.stylometry.stylometry import describe, fit_thresholds

__all__ = ["Endless", "probe_describer", "probe_lm", "probe_scratch_lm"]

# requests of a bucket, and of a piece of describing: what a stage gives the model at once
BUCKET = 256
SAID = 8
NEVER = 10**9
Probed = Iterator[tuple[str, str, Timed]]


class Endless(TransformersBackend):
    """A backend whose answers all have the full length: random weights end when they like."""

    def __init__(self, model_folder: Path | str, batch_tokens: int, dtype: str) -> None:
        super().__init__(model_folder, batch_tokens, dtype)
        self.ends = set()


def probe_scratch_lm(settings: ProbeJob, frame: pl.DataFrame, prompts: Path, folder: Path) -> Probed:
    """Training steps of the model from scratch; leaves one with random weights in `folder`: these decide no speed."""
    shape, wording, texts = settings.scratch.lm, read_condition_texts(prompts), frame["answer"].to_list()
    names = dict(zip(frame["answer_id"], describe(texts, fit_thresholds(texts, shape.quantile)), strict=True))
    chats = make_chats(frame, names, wording, np.random.default_rng(0), shape.chats_per_answer)
    said = [part for chat in chats for part in (chat.system or "", chat.user, chat.assistant)]
    tokenizer = train_tokenizer(said, shape.tokenizer, max(1024, shape.max_tokens))
    endless = shape.model_copy(update={"steps": NEVER})

    def train(report: Report) -> Any:
        return train_causal_lm(chats, tokenizer, endless, 0, report)

    yield "scratch_lm", "training step", time_steps(train, settings.estimate.seconds)
    build_causal_lm(tokenizer, shape, 0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def probe_describer(settings: ProbeJob, texts: Sequence[str]) -> Probed:
    """Answers described by stylometry."""
    thresholds = fit_thresholds(texts, settings.description.quantile)

    def run(n: int) -> int:
        return len(describe(texts[:n], thresholds))

    yield "describing", "answer", time_rounds(run, len(texts), settings.estimate.seconds)


def probe_lm(
    settings: ProbeJob,
    folder: Path,
    dtype: str,
    frame: pl.DataFrame,
    k: int,
    prompts: Path,
    document: Path | None,
    describing: Path | None,
    work: Path,
    backend: str,
    prompt_style: str,
    prompt_date: str,
    threads: int,
) -> Probed:
    """Everything that the language model does in a run.

    Args:
        settings: of all stages.
        folder: the model.
        dtype: of its weights.
        frame: drawn answers.
        k: attributes.
        prompts: wording of the conditions.
        document: wording of documents; None if the model is asked in chats.
        describing: questions of the `llm` describer; None if another describes.
        work: folder for what is soon forgotten.
        backend: flag of the backend that generates; a stage whose own backend is transformers does without it.
        prompt_style: chat, document or auto.
        prompt_date: what chat templates write for today.
        threads: CPU threads.
    """
    began, seconds = time.perf_counter(), settings.estimate.seconds
    reader = Endless(folder, settings.generation.batch_tokens, dtype)
    engine = open_backend(backend, folder, settings.generation.batch_tokens, dtype, threads, reader)
    engine.ends = set()
    wording = open_wording(reader.tokenizer, prompt_style, prompts, document, prompt_date)
    loading = time.perf_counter() - began
    yield "loading", "job", Timed(1, loading, loading)
    if describing is not None:
        describer = engine if settings.description.backend == "vllm" else reader
        reader.batch_tokens = settings.description.batch_tokens
        texts = frame["answer"].to_list()
        yield "describing", "prompt", _described(settings, describer, wording, texts, describing, work)
        reader.batch_tokens = settings.generation.batch_tokens
    catalogue = attribute_table(k)

    def read(n: int) -> int:
        return attribute_vectors(reader, wording, catalogue[:n], settings.activations, 0)["attribute_id"].n_unique()

    yield "activations", "attribute sentence", time_rounds(read, k, seconds)
    generator = engine if settings.generation.backend == "vllm" else reader
    yield from _generated(settings, reader, generator, frame.head(BUCKET), wording, work / "vectors.safetensors")
    engine.close()


def _described(
    settings: ProbeJob, backend: Backend, wording: Wording, texts: Sequence[str], describing: Path, work: Path
) -> Timed:
    prompts, number = read_description_prompts(describing), count()

    def encode(system: str | None, user: str) -> list[int]:
        return wording.encode(wording.render_request(system, user))

    def run(n: int) -> int:
        # a cache of its own: what is there already takes no time
        cache = work / f"described-{next(number)}"
        describe_answers(texts[:n], prompts, backend, encode, settings.description, cache, "", backend.context)
        return n * len(prompts.prompts)

    full = min(len(texts), max(1, BUCKET // len(prompts.prompts)))
    return time_rounds(run, full, settings.estimate.seconds)


def _generated(
    settings: ProbeJob, reader: Endless, backend: Backend, frame: pl.DataFrame, wording: Wording, vectors: Path
) -> Probed:
    """All four kinds of prompt, half of the requests steered; then the fluency of what came out.

    No stop strings: all answers have the full length.
    """
    generation, seconds = settings.generation, settings.estimate.seconds
    write_vectors({"probe": torch.randn(reader.n_layers, width_of(reader.model))}, vectors)
    steer = SteerRef(str(vectors), "probe", (reader.n_layers // 2,), 0.1)
    said, kinds = [a.name for a in ATTRIBUTES[:SAID]], list(PROMPT_KINDS)
    rendered = [
        wording.render(kinds[i % 4], question[: generation.max_question_chars], group, said)
        for i, (question, group) in enumerate(frame.select("question", "group").iter_rows())
    ]
    requests = [
        Request(
            id=f"{i:06d}",
            prompt_token_ids=tuple(wording.encode(prompt)),
            max_new_tokens=generation.max_new_tokens,
            temperature=generation.temperature,
            top_p=generation.top_p,
            seed=i,
            steer=steer if i % 8 < 4 else None,
        )
        for i, prompt in enumerate(rendered)
    ]
    texts: dict[int, str] = {}

    def generate(n: int) -> int:
        results = list(backend.generate(requests[:n]))
        texts.update({int(result.id): result.text for result in results})
        return sum(len(result.thoughts) + len(result.token_ids) for result in results)

    yield "generation", "token", time_rounds(generate, len(requests), seconds)
    own = [texts[i] for i in sorted(texts)]

    def read(n: int) -> int:
        return len(log_perplexities(reader.model, wording, rendered[:n], own[:n], generation.batch_tokens))

    yield "fluency", "text", time_rounds(read, len(own), seconds)
