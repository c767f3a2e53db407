"""Scores of pairs, and how good they are: F1, AUROC, calibration, by slice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from sociolect.common.progress import Report
from sociolect.sfam.engine import Engine, PairBatch, supported
from sociolect.sfam.late import Segments, encode_segment, grid_logits
from sociolect.sfam.model import (
    SPECIAL_TOKENS,
    AgreementModel,
    Encoded,
    agreement_logit,
    answer_limit,
    assemble,
    assemble_texts,
    pair_arrays,
)
from sociolect.sfam.precision import Precision, autocast
from sociolect.sfam.token_budget import run_batches

Forward = Callable[[PairBatch], torch.Tensor]


def pair_logits(
    agreement: AgreementModel,
    answers: Encoded,
    attributes: Encoded,
    answer_index: np.ndarray,
    attribute_index: np.ndarray,
) -> torch.Tensor:
    """Logits of the pairs (answer_index[i], attribute_index[i]), float32 [n, outputs].

    A late-interaction model encodes each text once, however many pairs it is in.
    """
    if not agreement.late:
        inputs = assemble(agreement, answers, attributes, answer_index, attribute_index)
        return agreement.model(**inputs).logits.float()
    rows, row_of = np.unique(answer_index, return_inverse=True)
    columns, column_of = np.unique(attribute_index, return_inverse=True)
    encoded = encode_late(agreement, attributes, columns, answer_limit(agreement, attributes), 0)
    grid = late_logits(agreement, answers, attributes, rows, encoded)
    return grid[torch.from_numpy(row_of), torch.from_numpy(column_of)]


def encode_late(agreement: AgreementModel, texts: Encoded, index: np.ndarray, limit: int, token_type: int) -> Segments:
    """States of some texts on their own; attributes (token type 0) are never cut, answers to `limit` tokens."""
    longest = limit if token_type else int(texts.lengths.max())
    return encode_segment(agreement.model, *assemble_texts(agreement, texts, index, longest), token_type)


def late_logits(
    agreement: AgreementModel, answers: Encoded, attributes: Encoded, rows: np.ndarray, encoded: Segments
) -> torch.Tensor:
    """Logits of the answers `rows` with all encoded attributes, float32 [rows, encoded attributes, outputs]."""
    states = encode_late(agreement, answers, rows, answer_limit(agreement, attributes), 1)
    return grid_logits(agreement.model, agreement.tokenizer.cls_token_id, states, encoded).float()


def make_forward(agreement: AgreementModel, precision: Precision = "fp32", compiled: bool = False) -> Forward:
    """How pairs of a model are scored: by the engine where it knows the model, else by transformers' own forward."""
    if supported(agreement.model):
        return Engine(agreement.model, precision, compiled)

    @torch.inference_mode()
    def forward(batch: PairBatch) -> torch.Tensor:
        inputs = batch.tensors(agreement.device)
        with autocast(agreement.device, precision):
            logits: torch.Tensor = agreement.model(
                input_ids=inputs["ids"], token_type_ids=inputs["types"], attention_mask=inputs["mask"].long()
            ).logits
        return logits.float()

    return forward


def score_index_pairs(
    agreement: AgreementModel,
    answers: Encoded,
    attributes: Encoded,
    answer_index: np.ndarray,
    attribute_index: np.ndarray,
    tokens_per_batch: int,
    precision: Precision = "fp32",
    forward: Forward | None = None,
    progress: Report | None = None,
) -> np.ndarray:
    """Scores in [0, 1] of the pairs (answer_index[i], attribute_index[i]), float32 [n].

    Pairs (or the answers of a late-interaction model) are sorted by length and cut into batches of at most
    `tokens_per_batch` padded tokens (one at least). `progress(done, total)` counts pairs.

    Args:
        agreement: the model.
        answers: encoded answers.
        attributes: encoded attribute sentences.
        answer_index: int [n].
        attribute_index: int [n].
        tokens_per_batch: token budget; halved when memory runs out.
        precision: of the products.
        forward: what `make_forward` made, to be used again; a late-interaction model needs none.
        progress: called with pairs done and all pairs.
    """
    scores = np.zeros(len(answer_index), dtype=np.float32)
    if not len(scores):
        return scores
    agreement.model.eval()
    if agreement.late:
        batches = _late_batches(
            agreement, answers, attributes, answer_index, attribute_index, tokens_per_batch, precision
        )
    else:
        forward = forward or make_forward(agreement, precision)
        batches = _pair_batches(
            agreement, answers, attributes, answer_index, attribute_index, tokens_per_batch, forward
        )
    done = 0
    with torch.inference_mode():
        for rows, logits in batches:
            scores[rows] = torch.sigmoid(agreement_logit(logits)).cpu().numpy()
            done += len(rows)
            if progress is not None:
                progress(done, len(scores))
    return scores


def _pair_batches(
    agreement: AgreementModel,
    answers: Encoded,
    attributes: Encoded,
    answer_index: np.ndarray,
    attribute_index: np.ndarray,
    budget: int,
    forward: Forward,
) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
    kept = np.minimum(answers.lengths, answer_limit(agreement, attributes))
    lengths = kept[answer_index] + attributes.lengths[attribute_index] + SPECIAL_TOKENS
    order = np.lexsort((attribute_index, answer_index, lengths))

    def prepare(start: int, end: int) -> PairBatch:
        rows = order[start:end]
        arrays = pair_arrays(agreement, answers, attributes, answer_index[rows], attribute_index[rows])
        return PairBatch.of(*arrays, agreement.device.type)

    for start, end, logits in run_batches(lengths[order], budget, prepare, forward):
        yield order[start:end], logits


def _late_batches(
    agreement: AgreementModel,
    answers: Encoded,
    attributes: Encoded,
    answer_index: np.ndarray,
    attribute_index: np.ndarray,
    budget: int,
    precision: Precision,
) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
    limit = answer_limit(agreement, attributes)
    columns, column_of = np.unique(attribute_index, return_inverse=True)
    used = np.unique(answer_index)
    kept = np.minimum(answers.lengths[used], limit) + 1
    order = np.lexsort((used, kept))
    rank = np.empty(len(answers), dtype=np.int64)
    rank[used[order]] = np.arange(len(used))
    by_rank = np.argsort(rank[answer_index], kind="stable")
    ranks = rank[answer_index][by_rank]
    with torch.inference_mode(), autocast(agreement.device, precision):
        encoded = encode_late(agreement, attributes, columns, limit, 0)

    def forward(rows: np.ndarray) -> torch.Tensor:
        with torch.inference_mode(), autocast(agreement.device, precision):
            return late_logits(agreement, answers, attributes, rows, encoded)

    # beside its words an answer has one [CLS] per attribute
    lengths = kept[order] + len(columns)
    for start, end, grid in run_batches(lengths, budget, lambda start, end: used[order[start:end]], forward):
        rows = by_rank[np.searchsorted(ranks, start) : np.searchsorted(ranks, end)]
        yield rows, grid[torch.from_numpy(rank[answer_index[rows]] - start), torch.from_numpy(column_of[rows])]
