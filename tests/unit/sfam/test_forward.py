"""Scores of pairs, whatever the batches; late interaction against the plain forward."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from agreeing import SENTENCES, text_tokenizer, texts
from transformers import PreTrainedTokenizerFast

from sociolect.sfam.forward import encode_late, score_index_pairs
from sociolect.sfam.late import grid_logits, masked_logits
from sociolect.sfam.model import answer_limit, assemble, encode_attributes, encode_texts
from tiny_models import tiny_agreement

# more threads only wait for each other on such small tensors
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return text_tokenizer()


@pytest.mark.parametrize("late", [True, False])
def test_scores_do_not_depend_on_batching_or_neighbors(tokenizer: PreTrainedTokenizerFast, late: bool) -> None:
    agreement = tiny_agreement(tokenizer, late=late)
    answers, attributes = encode_texts(agreement, texts(9)), encode_attributes(agreement, SENTENCES)
    rows, columns = np.repeat(np.arange(9), 6), np.tile(np.arange(6), 9)
    whole = score_index_pairs(agreement, answers, attributes, rows, columns, 100_000)
    mixed = np.random.default_rng(0).permutation(54)
    parts = np.empty_like(whole)
    parts[mixed] = score_index_pairs(agreement, answers, attributes, rows[mixed], columns[mixed], 400)
    np.testing.assert_allclose(whole, parts, atol=1e-5)
    alone = score_index_pairs(agreement, answers, attributes, np.array([4]), np.array([2]), 400)
    assert abs(float(alone[0] - whole[4 * 6 + 2])) < 1e-5


def test_late_grid_equals_the_plain_forward_under_the_mask(tokenizer: PreTrainedTokenizerFast) -> None:
    agreement = tiny_agreement(tokenizer)
    answers, attributes = encode_texts(agreement, texts(7, seed=2)), encode_attributes(agreement, SENTENCES)
    limit = answer_limit(agreement, attributes)
    rows, columns = np.repeat(np.arange(7), 6), np.tile(np.arange(6), 7)
    with torch.no_grad():
        plain = masked_logits(agreement.model, assemble(agreement, answers, attributes, rows, columns))
        segments = encode_late(agreement, answers, np.arange(7), limit, 1)
        words = encode_late(agreement, attributes, np.arange(6), limit, 0)
        grid = grid_logits(agreement.model, tokenizer.cls_token_id, segments, words)
    torch.testing.assert_close(grid.flatten(0, 1), plain, atol=1e-5, rtol=0)
    assert plain.std() > 1e-2
