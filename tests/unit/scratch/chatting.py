"""A small made-up corpus, chats of it, and their tokenizer; each is made once."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from conftest import ROOT
from sociolect.corpus.demo.made_up import DemoCorpus, make_demo_corpus
from sociolect.corpus.demo.truth import ATTRIBUTES
from sociolect.scratch.chats import Chat, ConditionTexts, make_chats, read_condition_texts
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.corpus import DemoSettings
from sociolect.settings.models import ScratchTokenizer


@cache
def small_corpus() -> DemoCorpus:
    return make_demo_corpus(
        DemoSettings(answers_per_group=60, multi_answers_per_group=20, askx_questions_per_group=5), seed=1
    )


@cache
def condition_texts() -> ConditionTexts:
    return read_condition_texts(ROOT / "workflow" / "prompts" / "conditions.yaml")


@cache
def made_chats() -> list[Chat]:
    corpus = small_corpus()
    planted = dict(corpus.planted.iter_rows())
    return make_chats(corpus.frames["single"], planted, condition_texts(), np.random.default_rng(1), per_answer=3)


@cache
def chat_tokenizer() -> Any:
    said = [m["content"] for c in made_chats() for m in c.messages()]
    return train_tokenizer([*said, condition_texts().system_turn("harbour", ATTRIBUTES) or ""], ScratchTokenizer())
