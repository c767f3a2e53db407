"""A tiny Llama from scratch: what it learns from a chat, and that it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from chatting import chat_tokenizer, condition_texts, made_chats

from sociolect.common.errors import InputError
from sociolect.lm.wordings import ChatWording
from sociolect.scratch.causal_lm import IGNORED, encode_chat, train_causal_lm
from sociolect.scratch.chats import Chat
from sociolect.settings.models import ScratchLm

# small matrices gain nothing from threads, and lose much on a busy machine
pytestmark = pytest.mark.usefixtures("one_thread")


def test_loss_covers_exactly_the_assistant_turn() -> None:
    chats, tokenizer = made_chats(), chat_tokenizer()
    for chat in chats[:50]:
        encoded = encode_chat(chat, tokenizer, 500)
        assert encoded is not None
        assert encoded.ids == tokenizer.apply_chat_template(chat.messages())["input_ids"]
        learned = [i for i, label in zip(encoded.ids, encoded.labels, strict=True) if label != IGNORED]
        answer = tokenizer(chat.assistant, add_special_tokens=False)["input_ids"]
        assert learned == [*answer, tokenizer.eos_token_id]
        assert encoded.labels[-len(learned) :] == learned


def test_training_and_asking_share_every_token() -> None:
    texts, tokenizer = condition_texts(), chat_tokenizer()
    chat = Chat(texts.system_turn("sea_side", ["numbers", "ellipses"]), texts.question_turn("Why the {a}?"), "A tree.")
    wording = ChatWording(tokenizer, texts)
    asked = wording.render("question+group+attributes", "Why the {a}?", "sea_side", ["numbers", "ellipses"])
    encoded = encode_chat(chat, tokenizer, 500)
    assert encoded is not None
    n_prompt = encoded.labels.count(IGNORED)
    assert tokenizer(asked, add_special_tokens=False)["input_ids"] == encoded.ids[:n_prompt]


def test_long_chats_are_cut_and_a_cut_answer_has_no_end() -> None:
    tokenizer = chat_tokenizer()
    chat = Chat("You use numbers.", "What is the tree? " * 20, "the tree " * 40)
    encoded = encode_chat(chat, tokenizer, 60)
    assert encoded is not None
    assert len(encoded.ids) == len(encoded.labels) == 60
    assert sum(label != IGNORED for label in encoded.labels) == 30
    assert encoded.labels[-1] != tokenizer.eos_token_id
    assert encode_chat(Chat("You use numbers. " * 30, "What?", "the tree"), tokenizer, 60) is None


def test_training_lowers_the_loss_and_repeats_itself() -> None:
    chats, tokenizer = made_chats(), chat_tokenizer()
    settings = ScratchLm(hidden=32, layers=2, heads=2, steps=50, batch_size=16, learning_rate=1e-2, max_tokens=128)
    messages: list[str] = []
    before = torch.random.get_rng_state()
    first = train_causal_lm(chats, tokenizer, settings, 1, lambda done, total, message="", *_: messages.append(message))
    assert torch.equal(before, torch.random.get_rng_state())
    losses = [float(m.removeprefix("loss ")) for m in messages]
    assert len(losses) == 50
    assert losses[0] == pytest.approx(np.log(len(tokenizer)), rel=0.3)
    again = train_causal_lm(chats, tokenizer, settings, 1, lambda *_: None)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    sums = _loss_of(first, chats[:64], tokenizer)
    assert sums < 0.6 * losses[0]


def _loss_of(model: torch.nn.Module, chats: list[Chat], tokenizer: Any) -> float:
    losses = []
    for chat in chats:
        encoded = encode_chat(chat, tokenizer, 500)
        assert encoded is not None
        with torch.no_grad():
            ids, labels = torch.tensor([encoded.ids]), torch.tensor([encoded.labels])
            losses.append(float(model(input_ids=ids, labels=labels).loss))
    return float(np.mean(losses))


def test_heads_must_fit_the_width() -> None:
    chats, tokenizer = made_chats(), chat_tokenizer()
    with pytest.raises(InputError, match=r"scratch\.lm: hidden is 30, heads is 4"):
        train_causal_lm(chats, tokenizer, ScratchLm(hidden=30, heads=4), 1, lambda *_: None)
