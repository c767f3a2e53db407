"""Attribute vectors: the activation of "You use X." per attribute and block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.artifacts import vectors
from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.seeds import seed_of
from sociolect.lm.reading import Reading, read_mean
from sociolect.lm.requests import Backend, Request
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import Wording
from sociolect.settings.steering import ActivationSettings

__all__ = ["attribute_vectors", "locate"]


def attribute_vectors(
    reader: TransformersBackend,
    wording: Wording,
    catalogue: pl.DataFrame,
    settings: ActivationSettings,
    run_seed: int,
    progress: Report | None = None,
    generator: Backend | None = None,
) -> pl.DataFrame:
    """Activations of all attributes at all blocks after the contrast, as an ACTIVATIONS table.

    Args:
        reader: holds the language model and its tokenizer.
        wording: of the prompts that the sentences stand in.
        catalogue: CATALOGUE.
        settings: turn, token, source and contrast.
        run_seed: config key `seed`; only source `sampled` draws.
        progress: called with sequences read and their number.
        generator: sources `greedy` and `sampled`: generates; the reader by default.

    Raises:
        InputError: a sentence is not in the rendered prompt, or has no token.
    """
    sentences = [*catalogue["you_sentence"], settings.neutral]
    spans = [*catalogue["attribute"], settings.neutral.rstrip(".!? ")]
    readings = [locate(wording, sentence, span, settings) for sentence, span in zip(sentences, spans, strict=True)]
    tokens = [reading.ids[reading.positions[-1]] for reading in readings]
    if settings.source == "forward":
        values = read_mean(reader.model, readings, settings.batch_tokens, progress)
    else:
        samples = 1 if settings.source == "greedy" else settings.samples
        generated = _continue(generator or reader, wording, readings, sentences, settings, samples, run_seed)
        tokens = [reading.ids[-1] for reading in generated[::samples]]
        values = read_mean(reader.model, generated, settings.batch_tokens, progress)
        # samples of one sentence lie side by side
        values = values.reshape(len(readings), samples, *values.shape[1:]).mean(axis=1)
    attributes, neutral = values[:-1], values[-1]
    if settings.contrast == "centred":
        attributes = attributes - attributes.mean(axis=0)
    elif settings.contrast == "neutral":
        attributes = attributes - neutral
    return _frame(reader.tokenizer, catalogue["attribute_id"].to_list(), attributes, tokens[:-1])


def locate(wording: Wording, sentence: str, span: str, settings: ActivationSettings) -> Reading:
    """Tokenise a sentence in its turn, or in its place of a document, and find the tokens of `span` in it.

    A token belongs to the span if it stands for one of its characters; a closing full stop of the sentence does
    not. `token: last` reads the last of them, `mean` all.

    Raises:
        InputError: naming the sentence.
    """
    if settings.role == "raw":
        text = sentence
    elif settings.role == "system":
        text = wording.render_turns(sentence, settings.request)
    else:
        text = wording.render_turns(None, sentence)
    at = text.find(sentence)
    inside = sentence.rfind(span)
    if at < 0 or inside < 0 or not span:
        raise InputError(f"sentence {sentence!r}: {span!r} is not found in the rendered prompt {text[:80]!r}")
    start, end = at + inside, at + inside + len(span)
    ids, offsets = wording.encode_with_offsets(text, rendered=settings.role != "raw")
    found = [i for i, (a, b) in enumerate(offsets) if a < end and b > start and text[max(a, start) : b].strip()]
    if not found:
        raise InputError(f"sentence {sentence!r}: {span!r} has no token of its own")
    return Reading(tuple(ids), tuple(found[-1:] if settings.token == "last" else found))


def _continue(
    backend: Backend,
    wording: Wording,
    readings: Sequence[Reading],
    sentences: Sequence[str],
    settings: ActivationSettings,
    samples: int,
    run_seed: int,
) -> list[Reading]:
    """Generate after each sentence; the positions are those of the generated tokens, an end token included."""
    requests = [
        Request(
            id=f"{i:06d}-{sample:03d}",
            prompt_token_ids=reading.ids,
            max_new_tokens=settings.max_new_tokens,
            temperature=0.0 if settings.source == "greedy" else 1.0,
            top_p=1.0,
            seed=seed_of(run_seed, "activations", sentence, sample),
            stop=wording.stop,
        )
        for i, (reading, sentence) in enumerate(zip(readings, sentences, strict=True))
        for sample in range(samples)
    ]
    results = {result.id: result for result in backend.generate(requests)}
    end = backend.end_token
    generated = []
    for request in requests:
        result = results[request.id]
        # thoughts are read, as the model did, and do not count
        before = (*request.prompt_token_ids, *result.thoughts)
        n = len(before)
        new = [*result.token_ids, *([end] if result.finish_reason == "stop" and end is not None else [])]
        # where a stop string came first, what is left is the token that it would have followed
        positions = range(n, n + len(new)) if new else range(n - 1, n)
        generated.append(Reading((*before, *new), tuple(positions)))
    return generated


def _frame(tokenizer: Any, ids: Sequence[str], values: np.ndarray, tokens: Sequence[int]) -> pl.DataFrame:
    n, layers, width = values.shape
    return pl.DataFrame(
        {
            "attribute_id": [a for a in ids for _ in range(layers)],
            "layer": pl.Series([layer for _ in range(n) for layer in range(layers)], dtype=pl.Int32),
            "vector": vectors(values.reshape(n * layers, width), "vector"),
            "token_id": pl.Series([int(t) for t in tokens for _ in range(layers)], dtype=pl.Int64),
            "token": [tokenizer.decode([t]) for t in tokens for _ in range(layers)],
        }
    )
