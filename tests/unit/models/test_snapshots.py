"""The files of microsoft/deberta-v3-base: pickled weights, and an spm.model without a tokenizer.json."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch

from sociolect.models.hub import fetch_snapshot
from sociolect.models.loading import load_tokenizer
from sociolect.settings.models import HubModel
from sociolect.sfam.engine import supported
from sociolect.sfam.forward import score_index_pairs
from sociolect.sfam.model import AGREE, encode_attributes, encode_texts, load_agreement, save_agreement
from tiny_models import REVISION, save_deberta

pytestmark = pytest.mark.usefixtures("one_thread")
TEXTS = [
    "The physicist writes short sentences, and she hedges: perhaps, maybe, it seems.",
    "I would like to say that the results in Figure 2 are (in my view) not 100 % convincing!",
    "Dear all, thanks for your question about cells, naïve models and the café on the corner.",
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in place of the hub, laid out as that repository is."""
    hub = tmp_path_factory.mktemp("hub")
    save_deberta(hub / "microsoft/deberta-v3-base" / REVISION, TEXTS)
    return hub


@pytest.fixture(scope="module")
def sfam(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "sfam"
    fetch_snapshot(HubModel(repo="microsoft/deberta-v3-base", revision=REVISION), str(hub), folder)
    return folder


@pytest.mark.parametrize("trained", [False, True])
def test_texts_tokenize_as_sentencepiece_does(hub: Path, sfam: Path, tmp_path: Path, trained: bool) -> None:
    assert (sfam / "spm.model").is_file() and not (sfam / "tokenizer.json").exists()
    if trained:
        save_agreement(load_agreement(sfam, 48, 2), tmp_path)
    tokenizer = load_tokenizer(tmp_path if trained else sfam)
    model = str(next(hub.rglob("spm.model")))
    pieces = sentencepiece.SentencePieceProcessor(model_file=model)
    for text in (*TEXTS, "convincing  physicists write about Figure 2", "unseen: \u4e2d \U0001f642 end", "naïve café!"):
        found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        assert found.input_ids == pieces.encode(text), text
        assert [tokenizer.cls_token_id, *found.input_ids, tokenizer.sep_token_id] == tokenizer(text).input_ids
        assert found.offset_mapping[-1][1] == len(text)
    assert (tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.unk_token_id) == (
        0,
        1,
        2,
        3,
    )


@torch.inference_mode()
def test_a_pair_is_scored(sfam: Path) -> None:
    torch.manual_seed(0)
    agreement = load_agreement(sfam, 48, 2)
    attribute = "The author uses hedging words."
    answers, attributes = encode_texts(agreement, TEXTS), encode_attributes(agreement, [attribute])
    assert supported(agreement.model)
    first = np.zeros(1, dtype=np.int64)
    (score,) = score_index_pairs(agreement, answers, attributes, first, first, 1000)
    pair = agreement.tokenizer(attribute, TEXTS[0], return_tensors="pt", max_length=48, truncation="only_second")
    logits = agreement.model(**pair).logits[0]
    assert 0.01 < score < 0.99 and abs(score - float(logits.softmax(-1)[AGREE])) < 1e-5
