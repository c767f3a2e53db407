"""The tokenizer: texts come back exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from chatting import chat_tokenizer, made_chats, small_corpus
from transformers import AutoTokenizer

from sociolect.common.errors import InputError
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchTokenizer

# small matrices gain nothing from threads, and lose much on a busy machine
pytestmark = pytest.mark.usefixtures("one_thread")


def test_demo_answers_come_back_exactly() -> None:
    corpus, tokenizer = small_corpus(), chat_tokenizer()
    assert 200 < len(tokenizer) < 350
    for answer in pl.concat(list(corpus.frames.values()))["answer"]:
        ids = tokenizer(answer, add_special_tokens=False)["input_ids"]
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode([*ids, tokenizer.eos_token_id], skip_special_tokens=True) == answer


def test_bytes_come_back_exactly() -> None:
    tokenizer = train_tokenizer(["The house, the tree.", "A tree!"] * 3, ScratchTokenizer(kind="bpe", vocabulary=280))
    for text in ("Ünïcode – tests\n\n  - a  b ", "don't (stop)..."):
        assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_tokenizer_survives_its_folder_and_the_order_of_texts(tmp_path: Path) -> None:
    tokenizer, chats = chat_tokenizer(), made_chats()
    tokenizer.save_pretrained(tmp_path)
    loaded: Any = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
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
