"""The agreement model: truncation, its two outputs folded into one, its folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from agreeing import SENTENCES, text_tokenizer, texts
from transformers import PreTrainedTokenizerFast

from sociolect.common.errors import InputError
from sociolect.sfam.forward import score_index_pairs
from sociolect.sfam.model import (
    agreement_logit,
    answer_limit,
    assemble,
    encode_attributes,
    encode_texts,
    fold_two_outputs,
    load_agreement,
    save_agreement,
)
from tiny_models import tiny_agreement

# more threads only wait for each other on such small tensors
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return text_tokenizer()


def test_truncation_cuts_the_answer_and_keeps_the_attribute(tokenizer: PreTrainedTokenizerFast) -> None:
    agreement = tiny_agreement(tokenizer, max_tokens=24)
    attributes = encode_attributes(agreement, SENTENCES)
    answers = encode_texts(agreement, [" ".join(["red"] * 100), "blue"])
    limit = answer_limit(agreement, attributes)
    assert limit == 24 - 3 - attributes.lengths.max()
    inputs = assemble(agreement, answers, attributes, np.array([0, 0, 1]), np.array([0, 2, 2]))
    red = answers[0][0]
    for row, attribute in ((0, 0), (1, 2)):
        ids = inputs["input_ids"][row][inputs["attention_mask"][row].bool()].tolist()
        sep, words = tokenizer.sep_token_id, attributes[attribute].tolist()
        assert ids == [tokenizer.cls_token_id, *words, sep, *[red] * limit, sep]
        assert inputs["token_type_ids"][row].sum() == limit + 1
    assert answers.full_lengths.tolist() == [100, 1]
    with pytest.raises(InputError, match="raise max_tokens"):
        encode_attributes(agreement, ["The author uses " + "very " * 30 + "."])


@pytest.mark.parametrize("late", [True, False])
def test_folding_two_outputs_keeps_every_score(tokenizer: PreTrainedTokenizerFast, late: bool) -> None:
    agreement = tiny_agreement(tokenizer, late=late)
    folded = fold_two_outputs(agreement)
    assert (agreement.n_outputs, folded.n_outputs, folded.late) == (2, 1, late)
    answers, attributes = encode_texts(agreement, texts(5)), encode_attributes(agreement, SENTENCES)
    rows, columns = np.repeat(np.arange(5), 6), np.tile(np.arange(6), 5)
    scores = [score_index_pairs(m, answers, attributes, rows, columns, 256) for m in (agreement, folded)]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)
    assert scores[0].std() > 1e-3
    with pytest.raises(ValueError, match="two-output"):
        fold_two_outputs(folded)


def test_softmax_over_two_outputs_is_the_sigmoid_of_their_difference() -> None:
    logits = torch.tensor([[0.3, -1.2], [50.0, 0.0], [-2.0, 7.0]])
    torch.testing.assert_close(torch.sigmoid(agreement_logit(logits)), torch.softmax(logits, dim=1)[:, 1])


def test_saved_and_loaded_model_scores_alike(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    agreement = tiny_agreement(tokenizer)
    save_agreement(agreement, tmp_path / "m")
    loaded = load_agreement(tmp_path / "m", 40)
    assert loaded.late and loaded.digest == agreement.digest
    assert load_agreement(tmp_path / "m", 40, n_outputs=1).n_outputs == 1
    with pytest.raises(InputError, match="takes 64 tokens"):
        load_agreement(tmp_path / "m", 65)
    with pytest.raises(InputError, match=r"no config\.json"):
        load_agreement(tmp_path / "none", 40)
