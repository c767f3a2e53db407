"""How a language model is asked, chosen once for its tokenizer: as a chat or with a document.

Activations, sweep, generation, fluency and the describer all take their prompts from here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date as date_type
from pathlib import Path
from typing import Any

from sociolect.common.errors import InputError
from sociolect.lm.document_prompts import (
    PARAGRAPH,
    DocumentPrompts,
    document,
    encode_document,
    read_document_prompts,
    spaced,
)
from sociolect.lm.prompts import Prompts, encode_with_offsets, instructions, read_prompts, render_chat
from sociolect.lm.requests import Request
from sociolect.lm.thoughts import closing_of, warn_of_thoughts
from sociolect.settings.prompting import PROMPT_DATE

__all__ = ["ChatWording", "DocumentWording", "Wording", "open_wording"]

STYLES = ("chat", "document")
Encoded = tuple[list[int], list[tuple[int, int]]]


class Wording(ABC):
    """Prompts as text and as tokens, and texts as they stand after them.

    Attributes:
        style: chat or document.
        prompts: the wording.
        date: what a chat template writes for today.
        stop: strings that end an answer.
        describer_stop: strings that end what the describer is told.
    """

    style: str
    stop: tuple[str, ...] = ()
    describer_stop: tuple[str, ...] = ()

    def __init__(self, tokenizer: Any, prompts: Prompts, date: date_type = PROMPT_DATE) -> None:
        self.tokenizer, self.prompts, self.date = tokenizer, prompts, date

    def worded(self, **instructions: str) -> Wording:
        """The same with other `group_instruction` and `attributes_instruction`.

        Raises:
            ValueError: one of them lacks its slot.
        """
        # validated anew: a copy would not be
        prompts = type(self.prompts).model_validate({**self.prompts.model_dump(), **instructions})
        return type(self)(self.tokenizer, prompts, self.date)

    def render(self, kind: str, question: str, group: str, attributes: Sequence[str]) -> str:
        """The prompt of one of the four kinds.

        Args:
            kind: question, question+group, question+attributes or question+group+attributes.
            question: the question.
            group: the target group.
            attributes: the target group's style attributes, each the X of "You use X.".

        Raises:
            InputError: unknown kind, or the kind says attributes and there are none.
        """
        return self._ask(instructions(self.prompts, kind, group, attributes), question)

    def requests(
        self, prompts: Sequence[str], seeds: Sequence[int], max_new_tokens: int, temperature: float, top_p: float
    ) -> list[Request]:
        """An unsteered request for each prompt, with its own seed; ids are places in the list, of six digits."""
        return [
            Request(
                id=f"{place:06d}",
                prompt_token_ids=tuple(self.encode(prompt)),
                max_new_tokens=max_new_tokens,
                temperature=temperature,
                top_p=top_p,
                seed=seed,
                stop=self.stop,
            )
            for place, (prompt, seed) in enumerate(zip(prompts, seeds, strict=True))
        ]

    @abstractmethod
    def _ask(self, system: str | None, question: str) -> str:
        """The question in its wording, under the instructions."""

    @abstractmethod
    def render_examples(self, question: str, examples: Sequence[tuple[str, str]]) -> str:
        """The prompt of a question after other questions with their answers, as if these had been asked before."""

    @abstractmethod
    def render_turns(self, system: str | None, user: str) -> str:
        """The prompt of a system turn, or header, and of what is asked."""

    def render_request(self, system: str | None, request: str) -> str:
        """The prompt of the describer: its system turn, and what it is asked about a text."""
        return self.render_turns(system, request)

    @abstractmethod
    def encode_with_offsets(self, text: str, rendered: bool = True) -> Encoded:
        """Token ids of a prompt, and for each the characters [start, end) that it stands for.

        Args:
            text: the prompt.
            rendered: it comes from this wording; False for a bare sentence.

        Raises:
            InputError: nothing is left of the text.
        """

    def encode(self, text: str, rendered: bool = True) -> list[int]:
        """The token ids alone."""
        return self.encode_with_offsets(text, rendered)[0]

    @abstractmethod
    def text_of(self, generated: str) -> str:
        """What was generated, as a reader sees it."""

    @abstractmethod
    def continuations(self, prompts: Sequence[str], texts: Sequence[str]) -> list[tuple[list[int], list[int]]]:
        """For each pair the tokens of the prompt and those of the text after it; none for an empty text."""


class ChatWording(Wording):
    """Turns in the chat template of the tokenizer, which writes all special tokens; the end token ends an answer."""

    style = "chat"

    def _ask(self, system: str | None, question: str) -> str:
        return self.render_turns(system, self.prompts.question_prompt.replace("{question}", question))

    def render_examples(self, question: str, examples: Sequence[tuple[str, str]]) -> str:
        """Earlier turns of the same chat."""
        asked = self.prompts.question_prompt
        turns = [(asked.replace("{question}", q), answer) for q, answer in examples]
        return render_chat(self.tokenizer, None, asked.replace("{question}", question), turns, self.date)

    def render_turns(self, system: str | None, user: str) -> str:
        """The chat up to where the assistant begins."""
        return render_chat(self.tokenizer, system, user, date=self.date)

    def encode_with_offsets(self, text: str, rendered: bool = True) -> Encoded:
        """With one BOS at most."""
        return encode_with_offsets(self.tokenizer, text, rendered)

    def text_of(self, generated: str) -> str:
        """All of it."""
        return generated

    def continuations(self, prompts: Sequence[str], texts: Sequence[str]) -> list[tuple[list[int], list[int]]]:
        """An answer begins right after the turn's last special token, so both are tokenised by themselves.

        Where the turn opens thoughts, they are closed before it.
        """
        heads = {prompt: self.encode(prompt + closing_of(prompt, self.tokenizer)) for prompt in dict.fromkeys(prompts)}
        bodies = self.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"] if texts else []
        return [(heads[prompt], list(body)) for prompt, body in zip(prompts, bodies, strict=True)]


class DocumentWording(Wording):
    """A document that the answer completes; a stop string ends it where the model goes on with another question."""

    style = "document"
    prompts: DocumentPrompts

    def __init__(self, tokenizer: Any, prompts: DocumentPrompts, date: date_type = PROMPT_DATE) -> None:
        super().__init__(tokenizer, prompts, date)
        self.stop, self.describer_stop = prompts.stop, prompts.describer_stop

    def _ask(self, system: str | None, question: str) -> str:
        return self.render_turns(system, question)

    def render_examples(self, question: str, examples: Sequence[tuple[str, str]]) -> str:
        """Earlier paragraphs of the same document."""
        header = PARAGRAPH.join(spaced(self.render_turns(None, q), answer.strip()) for q, answer in examples)
        return document(header or None, self.render_turns(None, question))

    def render_turns(self, system: str | None, user: str) -> str:
        """The system turn as header, and the question that the document is about."""
        return document(system, self.prompts.question_prompt.replace("{question}", user.strip()))

    def render_request(self, system: str | None, request: str) -> str:
        """The same for the describer, in a wording of its own."""
        return document(system, self.prompts.describer_prompt.replace("{request}", request.strip()))

    def encode_with_offsets(self, text: str, rendered: bool = True) -> Encoded:
        """With BOS exactly once where the model has one, whatever its tokenizer says."""
        ids, offsets = encode_document(self.tokenizer, text)
        if all(token == self.tokenizer.bos_token_id for token in ids):
            raise InputError(f"the prompt {text[:60]!r} has no tokens")
        return ids, offsets

    def text_of(self, generated: str) -> str:
        """Without the space after "Answer:", and without white space at the end."""
        return generated.strip()

    def continuations(self, prompts: Sequence[str], texts: Sequence[str]) -> list[tuple[list[int], list[int]]]:
        """Both are tokenised together, with a space between them, as the model reads and writes them."""
        return [self._continuation(prompt, text.strip()) for prompt, text in zip(prompts, texts, strict=True)]

    def _continuation(self, prompt: str, text: str) -> tuple[list[int], list[int]]:
        if not text:
            return self.encode(prompt), []
        ids, offsets = self.encode_with_offsets(spaced(prompt, text))
        start = next((i for i, (_, end) in enumerate(offsets) if end > len(prompt)), len(ids))
        return ids[:start], ids[start:]


def open_wording(
    tokenizer: Any,
    style: str | None,
    chat_file: Path | None = None,
    document_file: Path | None = None,
    date: str | date_type | None = None,
) -> Wording:
    """The wording of a run. A chat template that asks for thoughts is named in the log.

    Args:
        tokenizer: of the language model.
        style: `prompts.style`; None or `auto` is chat where the tokenizer has a template.
        chat_file: wording of chats; None for a program that renders none of the four kinds.
        document_file: wording of documents; None for a program that renders nothing.
        date: `prompts.date`, a date or YYYY-MM-DD; None for a program that renders no chat.

    Raises:
        InputError: another style, or a file cannot be read.
    """
    if style in (None, "auto"):
        style = "chat" if getattr(tokenizer, "chat_template", None) else "document"
    if style not in STYLES:
        raise InputError(f"prompts.style {style!r}: use {' or '.join(STYLES)}")
    if style == "chat":
        day = date_type.fromisoformat(date) if isinstance(date, str) else date or PROMPT_DATE
        wording = ChatWording(tokenizer, read_prompts(chat_file) if chat_file is not None else Prompts(), day)
        warn_of_thoughts(wording.render_turns(None, "?"), tokenizer)
        return wording
    prompts = read_document_prompts(document_file) if document_file is not None else DocumentPrompts()
    return DocumentWording(tokenizer, prompts)
