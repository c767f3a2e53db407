"""Chats that a language model from scratch learns from: questions under instructions, and descriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from numpy.random import Generator
from pydantic import ConfigDict

from sociolect.common.errors import InputError
from sociolect.lm.prompts import Prompts, system_turn
from sociolect.settings.faults import read_checked


class ConditionTexts(Prompts):
    """The wording of workflow/prompts/conditions.yaml: the asked turns, and those of the description task.

    Training, activations and generation take their turns from one file, so that they share every word.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    description_prompt: str
    description_sentence: str
    description_joiner: str

    def system_turn(self, group: str | None, attributes: Sequence[str]) -> str | None:
        """Instructions by group and attributes, in this order; None where there is nothing to say."""
        return system_turn(self, group, attributes)

    def question_turn(self, question: str) -> str:
        """The user turn that asks the question."""
        return self.question_prompt.replace("{question}", question)

    def description_turns(self, answer: str, attributes: Sequence[str]) -> tuple[str, str]:
        """User turn that asks for a description, and the assistant turn that gives it."""
        sentences = [self.description_sentence.replace("{attribute}", a) for a in attributes]
        return self.description_prompt.replace("{answer}", answer), self.description_joiner.join(sentences)


def read_condition_texts(path: Path) -> ConditionTexts:
    """Read the wording from a YAML file.

    Raises:
        InputError: the file is not there, is not YAML, or a key is missing or unknown.
    """
    return read_checked(path, ConditionTexts, "generation.prompt_file")


@dataclass(frozen=True)
class Chat:
    """Turns of one chat; `system` may be absent, `assistant` is what is learned."""

    system: str | None
    user: str
    assistant: str

    def messages(self) -> list[dict[str, str]]:
        """The turns as a chat template takes them."""
        head = [] if self.system is None else [{"role": "system", "content": self.system}]
        return [
            *head,
            {"role": "user", "content": self.user},
            {"role": "assistant", "content": self.assistant},
        ]


# Kinds of system turn (none, group, attributes, both) and the description task, by share.
KINDS: Mapping[str, float] = {"none": 0.15, "group": 0.15, "attributes": 0.45, "both": 0.2, "description": 0.05}
# Many instructions at a time teach more attributes per step; few keep "You use X." alone a familiar sight.
MAX_INSTRUCTIONS = 8
MAX_DESCRIBED = 6


def make_chats(
    frame: pl.DataFrame,
    attributes: Mapping[str, Sequence[str]],
    texts: ConditionTexts,
    rng: Generator,
    per_answer: int = 1,
    kinds: Mapping[str, float] = KINDS,
) -> list[Chat]:
    """Chats for answers with known style attributes.

    An instruction names some of the answer's attributes (1 to 8, at random, in random order), so that "You use
    X." says that X is there and nothing about the others.

    Args:
        frame: answer_id, question, answer, group; one row per answer.
        attributes: answer_id -> names of the attributes that the answer has.
        texts: the wording.
        rng: draws kind and attributes; rows are taken by answer_id, so that their order does not matter.
        per_answer: chats per answer, each with draws of its own.
        kinds: shares of none, group, attributes, both, description.

    Raises:
        InputError: no answers, or an answer without an entry in `attributes`.
    """
    if frame.is_empty():
        raise InputError("chats for the language model: no answers; is part train empty?")
    names = sorted(kinds)
    shares = [kinds[name] / sum(kinds.values()) for name in names]
    chats = []
    for row in frame.sort("answer_id").iter_rows(named=True):
        if row["answer_id"] not in attributes:
            raise InputError(f"chats for the language model: answer {row['answer_id']!r} has no list of attributes")
        known = sorted(attributes[row["answer_id"]])
        for _ in range(per_answer):
            kind = names[int(rng.choice(len(names), p=shares))]
            if kind == "description" and known:
                user, assistant = texts.description_turns(row["answer"], sorted(_some(known, MAX_DESCRIBED, rng)))
                chats.append(Chat(None, user, assistant))
                continue
            instructed = kind in ("attributes", "both") and len(known) > 0
            count = int(rng.integers(1, MAX_INSTRUCTIONS + 1))
            system = texts.system_turn(
                row["group"] if kind in ("group", "both") else None, _some(known, count, rng) if instructed else []
            )
            chats.append(Chat(system, texts.question_turn(row["question"]), row["answer"]))
    return chats


def _some(known: Sequence[str], count: int, rng: Generator) -> list[str]:
    """At most `count` of the names, in random order."""
    return [known[i] for i in rng.permutation(len(known))[:count]]
