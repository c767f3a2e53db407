"""Chats name only what an answer has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chatting import condition_texts, made_chats, small_corpus

from sociolect.common.errors import InputError
from sociolect.scratch.chats import make_chats, read_condition_texts

# small matrices gain nothing from threads, and lose much on a busy machine
pytestmark = pytest.mark.usefixtures("one_thread")


def test_chats_name_only_what_the_answer_has() -> None:
    corpus, texts, chats = small_corpus(), condition_texts(), made_chats()
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


def test_missing_attributes_and_keys_are_named(tmp_path: Path) -> None:
    corpus, texts = small_corpus(), condition_texts()
    with pytest.raises(InputError, match="single-q00000-a0"):
        make_chats(corpus.frames["single"], {}, texts, np.random.default_rng(0))
    path = tmp_path / "conditions.yaml"
    path.write_text('description_prompt: "{answer}"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"conditions\.yaml: key 'description_sentence'"):
        read_condition_texts(path)
