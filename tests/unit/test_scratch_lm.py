"""Tokenizer, chats and tiny Llama that are made from scratch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from sociolect.common.errors import InputError
from sociolect.corpus.demo.made_up import DemoCorpus, make_demo_corpus
from sociolect.corpus.demo.truth import ATTRIBUTES
from sociolect.lm.prompts import render_prompt
from sociolect.scratch.causal_lm import IGNORED, encode_chat, train_causal_lm
from sociolect.scratch.chats import Chat, ConditionTexts, make_chats, read_condition_texts
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.corpus import DemoSettings
from sociolect.settings.models import ScratchLm, ScratchTokenizer

PROMPTS = Path(__file__).parents[2] / "workflow" / "prompts" / "conditions.yaml"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small matrices gain nothing from threads, and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def corpus() -> DemoCorpus:
    return make_demo_corpus(
        DemoSettings(answers_per_group=60, multi_answers_per_group=20, askx_questions_per_group=5), seed=1
    )


@pytest.fixture(scope="module")
def texts() -> ConditionTexts:
    return read_condition_texts(PROMPTS)


@pytest.fixture(scope="module")
def chats(corpus: DemoCorpus, texts: ConditionTexts) -> list[Chat]:
    planted = dict(corpus.planted.iter_rows())
    return make_chats(corpus.frames["single"], planted, texts, np.random.default_rng(1), per_answer=3)


@pytest.fixture(scope="module")
def tokenizer(chats: list[Chat], texts: ConditionTexts) -> PreTrainedTokenizerFast:
    said = [m["content"] for c in chats for m in c.messages()]
    return train_tokenizer([*said, texts.system_turn("harbour", ATTRIBUTES) or ""], ScratchTokenizer())


def test_demo_answers_come_back_exactly(corpus: DemoCorpus, tokenizer: PreTrainedTokenizerFast) -> None:
    assert 200 < len(tokenizer) < 350
    for answer in pl.concat(list(corpus.frames.values()))["answer"]:
        ids = tokenizer(answer, add_special_tokens=False)["input_ids"]
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode([*ids, tokenizer.eos_token_id], skip_special_tokens=True) == answer


def test_bytes_come_back_exactly() -> None:
    tokenizer = train_tokenizer(["The house, the tree.", "A tree!"] * 3, ScratchTokenizer(kind="bpe", vocabulary=280))
    for text in ("Ünïcode – tests\n\n  - a  b ", "don't (stop)..."):
        assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_tokenizer_survives_its_folder_and_the_order_of_texts(
    tokenizer: PreTrainedTokenizerFast, chats: list[Chat], tmp_path: Path
) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    messages = chats[0].messages()
    assert loaded.apply_chat_template(messages)["input_ids"] == tokenizer.apply_chat_template(messages)["input_ids"]
    assert loaded("A tree.", "The author uses numbers.") == tokenizer("A tree.", "The author uses numbers.")
    words = ["one two two", "three one two"]
    first, second = (train_tokenizer(w, ScratchTokenizer()) for w in (words, words[::-1]))
    assert first.get_vocab() == second.get_vocab()


def test_vocabulary_keeps_the_most_frequent_words() -> None:
    special = len(train_tokenizer(["x"], ScratchTokenizer())) - 1
    tokenizer = train_tokenizer(["two one two", "three one two"], ScratchTokenizer(vocabulary=special + 2))
    ids = tokenizer("one two three", add_special_tokens=False)["input_ids"]
    assert ids == [special + 1, special, tokenizer.unk_token_id]


def test_too_small_a_vocabulary_and_no_text_are_errors() -> None:
    with pytest.raises(InputError, match="vocabulary 100 is too small"):
        train_tokenizer(["a"], ScratchTokenizer(kind="bpe", vocabulary=100))
    for kind in ("word", "bpe"):
        with pytest.raises(InputError, match="no text"):
            train_tokenizer([], ScratchTokenizer(kind=kind))


def test_loss_covers_exactly_the_assistant_turn(chats: list[Chat], tokenizer: PreTrainedTokenizerFast) -> None:
    for chat in chats[:50]:
        encoded = encode_chat(chat, tokenizer, 500)
        assert encoded is not None
        assert encoded.ids == tokenizer.apply_chat_template(chat.messages())["input_ids"]
        learned = [i for i, label in zip(encoded.ids, encoded.labels, strict=True) if label != IGNORED]
        answer = tokenizer(chat.assistant, add_special_tokens=False)["input_ids"]
        assert learned == [*answer, tokenizer.eos_token_id]
        assert encoded.labels[-len(learned) :] == learned


def test_training_and_asking_share_every_token(texts: ConditionTexts, tokenizer: PreTrainedTokenizerFast) -> None:
    chat = Chat(texts.system_turn("sea_side", ["numbers", "ellipses"]), texts.question_turn("Why the {a}?"), "A tree.")
    asked = render_prompt(
        tokenizer, texts, "question+group+attributes", "Why the {a}?", "sea_side", ["numbers", "ellipses"]
    )
    encoded = encode_chat(chat, tokenizer, 500)
    assert encoded is not None
    n_prompt = encoded.labels.count(IGNORED)
    assert tokenizer(asked, add_special_tokens=False)["input_ids"] == encoded.ids[:n_prompt]


def test_long_chats_are_cut_and_a_cut_answer_has_no_end(tokenizer: PreTrainedTokenizerFast) -> None:
    chat = Chat("You use numbers.", "What is the tree? " * 20, "the tree " * 40)
    encoded = encode_chat(chat, tokenizer, 60)
    assert encoded is not None
    assert len(encoded.ids) == len(encoded.labels) == 60
    assert sum(label != IGNORED for label in encoded.labels) == 30
    assert encoded.labels[-1] != tokenizer.eos_token_id
    assert encode_chat(Chat("You use numbers. " * 30, "What?", "the tree"), tokenizer, 60) is None


def test_chats_name_only_what_the_answer_has(corpus: DemoCorpus, texts: ConditionTexts, chats: list[Chat]) -> None:
    planted = dict(corpus.planted.iter_rows())
    frame = corpus.frames["single"]
    by_answer = {row["answer"]: row for row in frame.iter_rows(named=True)}
    kinds = {"none": 0, "group": 0, "attributes": 0, "both": 0, "description": 0}
    for chat in chats:
        if chat.assistant not in by_answer:
            kinds["description"] += 1
            continue
        row = by_answer[chat.assistant]
        sentences = (chat.system or "").split(". ")
        uses = [s.removesuffix(".").removeprefix("You use ") for s in sentences if s.startswith("You use ")]
        says_group = f"You belong to the group {row['group']}." in (chat.system or "")
        assert set(uses) <= set(planted[row["answer_id"]])
        kinds["both" if uses and says_group else "attributes" if uses else "group" if says_group else "none"] += 1
    assert len(chats) == 3 * frame.height and min(kinds.values()) > 0.02 * len(chats)
    shuffled = make_chats(frame.reverse(), planted, texts, np.random.default_rng(1), per_answer=3)
    assert shuffled == chats


def test_missing_attributes_and_keys_are_named(corpus: DemoCorpus, texts: ConditionTexts, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="single-q00000-a0"):
        make_chats(corpus.frames["single"], {}, texts, np.random.default_rng(0))
    path = tmp_path / "conditions.yaml"
    path.write_text('description_prompt: "{answer}"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"conditions\.yaml: key 'description_sentence'"):
        read_condition_texts(path)


def test_training_lowers_the_loss_and_repeats_itself(chats: list[Chat], tokenizer: PreTrainedTokenizerFast) -> None:
    settings = ScratchLm(hidden=32, layers=2, heads=2, steps=50, batch_size=16, learning_rate=1e-2, max_tokens=128)
    messages: list[str] = []
    before = torch.random.get_rng_state()
    first = train_causal_lm(chats, tokenizer, settings, 1, lambda done, total, message: messages.append(message))
    assert torch.equal(before, torch.random.get_rng_state())
    losses = [float(m.removeprefix("loss ")) for m in messages]
    assert len(losses) == 50
    assert losses[0] == pytest.approx(np.log(len(tokenizer)), rel=0.3)
    again = train_causal_lm(chats, tokenizer, settings, 1, lambda *_: None)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    sums = _loss_of(first, chats[:64], tokenizer)
    assert sums < 0.6 * losses[0]


def _loss_of(model: torch.nn.Module, chats: list[Chat], tokenizer: PreTrainedTokenizerFast) -> float:
    losses = []
    for chat in chats:
        encoded = encode_chat(chat, tokenizer, 500)
        assert encoded is not None
        with torch.no_grad():
            ids, labels = torch.tensor([encoded.ids]), torch.tensor([encoded.labels])
            losses.append(float(model(input_ids=ids, labels=labels).loss))
    return float(np.mean(losses))


def test_heads_must_fit_the_width(chats: list[Chat], tokenizer: PreTrainedTokenizerFast) -> None:
    with pytest.raises(InputError, match=r"scratch\.lm: hidden is 30, heads is 4"):
        train_causal_lm(chats, tokenizer, ScratchLm(hidden=30, heads=4), 1, lambda *_: None)
