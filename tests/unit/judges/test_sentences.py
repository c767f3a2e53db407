"""Vectors of a sentence model in a folder: by hand from its hidden states, whatever stands beside a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from sociolect.common.errors import InputError
from sociolect.judges.sentences import sentence_encoder
from tiny_models import word_tokenizer

MOST = 6  # tokens that the model takes
TEXTS = ["waa", "wab wac wad waa", "wac", "wad waa wac"]


@pytest.fixture
def model(tmp_path: Path) -> tuple[Path, Any, Any]:
    """Folder, model and tokenizer."""
    tokenizer = word_tokenizer()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        max_position_embeddings=MOST,
    )  # fmt: skip
    bert = BertModel(config).eval()
    bert.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path, bert, tokenizer


def hidden(bert: Any, tokenizer: Any, text: str) -> np.ndarray:
    """Last hidden states of one text alone [tokens, 8]."""
    with torch.inference_mode():
        ids = tokenizer(text)["input_ids"]
        # what is cut off is words: the last token ends every text
        ids = torch.tensor([ids if len(ids) <= MOST else [*ids[: MOST - 1], ids[-1]]])
        return np.asarray(bert(input_ids=ids).last_hidden_state[0].double())


def unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / np.linalg.norm(vector))


def test_a_vector_is_the_mean_over_the_tokens_of_its_text_alone(model: tuple[Path, Any, Any]) -> None:
    folder, bert, tokenizer = model
    expected = [unit(hidden(bert, tokenizer, text).mean(axis=0)) for text in TEXTS]
    encode = sentence_encoder(folder)
    # shorter texts are padded, and more than one batch is read
    np.testing.assert_allclose(encode(TEXTS * 20), expected * 20, atol=1e-6)
    assert encode([]).shape == (0, 8)


def test_the_first_token_stands_for_the_text_where_the_folder_says_so(model: tuple[Path, Any, Any]) -> None:
    folder, bert, tokenizer = model
    (folder / "1_Pooling").mkdir()
    pooling = folder / "1_Pooling" / "config.json"
    for wanted, pooled in (("true", lambda h: h[0]), ("false", lambda h: h.mean(axis=0))):
        pooling.write_text(f'{{"pooling_mode_cls_token": {wanted}}}')
        expected = [unit(pooled(hidden(bert, tokenizer, text))) for text in TEXTS]
        np.testing.assert_allclose(sentence_encoder(folder)(TEXTS), expected, atol=1e-6)


def test_a_text_that_is_too_long_is_its_beginning(model: tuple[Path, Any, Any]) -> None:
    folder, bert, tokenizer = model
    long = "wab waa wac wad wae wab wab wab wac"
    assert len(hidden(bert, tokenizer, long)) == MOST
    expected = unit(hidden(bert, tokenizer, long).mean(axis=0))
    np.testing.assert_allclose(sentence_encoder(folder)([long, "waa"])[0], expected, atol=1e-6)


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"evaluation\.sentence_model .*: not a whole sentence model"):
        sentence_encoder(tmp_path)
