"""Attribute vectors: the activation of "You use X." per attribute and block (N10, N12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch

from sociolect.artifacts import vectors
from sociolect.errors import InputError
from sociolect.generation.batching import padded_batches
from sociolect.generation.requests import Backend, Report, Request
from sociolect.generation.transformers_backend import TransformersBackend
from sociolect.hooks import blocks_of, read_blocks, width_of
from sociolect.prompts import encode_with_offsets, render_chat
from sociolect.seeds import seed_of
from sociolect.settings import ActivationSettings

__all__ = ["Reading", "attribute_vectors", "locate", "read_mean", "residual_norms"]


@dataclass(frozen=True)
class Reading:
    """A token sequence and the positions in it over which activations are averaged."""

    ids: tuple[int, ...]
    positions: tuple[int, ...]


def attribute_vectors(
    reader: TransformersBackend,
    catalogue: pl.DataFrame,
    settings: ActivationSettings,
    run_seed: int,
    progress: Report | None = None,
    generator: Backend | None = None,
) -> pl.DataFrame:
    """Activations of all attributes at all blocks after the contrast, as an ACTIVATIONS table.

    Args:
        reader: holds the language model and its tokenizer.
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
    readings = [
        locate(reader.tokenizer, sentence, span, settings) for sentence, span in zip(sentences, spans, strict=True)
    ]
    tokens = [reading.ids[reading.positions[-1]] for reading in readings]
    if settings.source == "forward":
        values = read_mean(reader.model, readings, settings.batch_tokens, progress)
    else:
        samples = 1 if settings.source == "greedy" else settings.samples
        generated = _continue(generator or reader, readings, sentences, settings, samples, run_seed)
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


def locate(tokenizer: Any, sentence: str, span: str, settings: ActivationSettings) -> Reading:
    """Tokenise a sentence in its turn and find the tokens of `span` in it.

    A token belongs to the span if it stands for one of its characters; a closing full stop of the sentence does
    not. `token: last` reads the last of them, `mean` all.

    Raises:
        InputError: naming the sentence.
    """
    if settings.role == "raw":
        text = sentence
    elif settings.role == "system":
        text = render_chat(tokenizer, sentence, settings.request)
    else:
        text = render_chat(tokenizer, None, sentence)
    at = text.find(sentence)
    inside = sentence.rfind(span)
    if at < 0 or inside < 0 or not span:
        raise InputError(f"sentence {sentence!r}: {span!r} is not found in the rendered prompt {text[:80]!r}")
    start, end = at + inside, at + inside + len(span)
    ids, offsets = encode_with_offsets(tokenizer, text, rendered=settings.role != "raw")
    found = [i for i, (a, b) in enumerate(offsets) if a < end and b > start and text[max(a, start) : b].strip()]
    if not found:
        raise InputError(f"sentence {sentence!r}: {span!r} has no token of its own")
    return Reading(tuple(ids), tuple(found[-1:] if settings.token == "last" else found))


@torch.inference_mode()
def read_mean(model: Any, readings: Sequence[Reading], batch_tokens: int, progress: Report | None = None) -> np.ndarray:
    """Mean activation over each reading's positions at the output of every block, float64 [n, layers, d]."""
    layers = range(len(blocks_of(model)))
    values = np.empty((len(readings), len(layers), width_of(model)))
    device = next(model.parameters()).device
    done = 0
    for rows, ids, mask in padded_batches([r.ids for r in readings], batch_tokens, device):
        weights = torch.zeros(ids.shape, device=device)
        for row, index in enumerate(rows):
            positions = readings[index].positions
            weights[row, list(positions)] = 1.0 / len(positions)

        def mean(hidden: torch.Tensor, weights: torch.Tensor = weights) -> torch.Tensor:
            return torch.einsum("btd,bt->bd", hidden.float(), weights)

        with read_blocks(model, layers, mean) as seen:
            model(input_ids=ids, attention_mask=mask, use_cache=False, logits_to_keep=1)
        for layer in layers:
            values[rows, layer] = seen[layer].double().cpu().numpy()
        done += len(rows)
        if progress is not None:
            progress(done, len(readings))
    return values


@torch.inference_mode()
def residual_norms(
    model: Any, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], batch_tokens: int
) -> list[float]:
    """Median norm r[l] of the residual stream at each block's output, over the tokens of the answers.

    Args:
        model: unsteered.
        prompts: token ids.
        answers: token ids that follow them; no BOS among them.
        batch_tokens: token budget of a batch.

    Raises:
        InputError: all answers are empty.
    """
    kept = [i for i, answer in enumerate(answers) if len(answer)]
    if not kept:
        raise InputError("the language model answers nothing to all val questions; train or choose another model")
    layers = range(len(blocks_of(model)))
    norms: dict[int, list[np.ndarray]] = {layer: [] for layer in layers}
    device = next(model.parameters()).device
    sequences = [[*prompts[i], *answers[i]] for i in kept]
    for rows, ids, mask in padded_batches(sequences, batch_tokens, device):
        starts = torch.tensor([len(prompts[kept[row]]) for row in rows], device=device).unsqueeze(1)
        counted = mask.bool() & (torch.arange(ids.shape[1], device=device) >= starts)
        with read_blocks(model, layers, lambda hidden: hidden.float().norm(dim=-1)) as seen:
            model(input_ids=ids, attention_mask=mask, use_cache=False, logits_to_keep=1)
        for layer in layers:
            norms[layer].append(seen[layer][counted].double().cpu().numpy())
    return [float(np.median(np.concatenate(norms[layer]))) for layer in layers]


def _continue(
    backend: Backend,
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
        )
        for i, (reading, sentence) in enumerate(zip(readings, sentences, strict=True))
        for sample in range(samples)
    ]
    results = {result.id: result for result in backend.generate(requests)}
    end = backend.end_token
    generated = []
    for request in requests:
        result, n = results[request.id], len(request.prompt_token_ids)
        new = [*result.token_ids, *([end] if result.finish_reason == "stop" and end is not None else [])]
        generated.append(Reading((*request.prompt_token_ids, *new), tuple(range(n, n + len(new)))))
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
