"""Thoughts before an answer: which of the generated tokens are its final part, and which prompts ask for thoughts.

Thoughts are what a marker opens that the prompt ends in, or that the answer begins with, up to the marker that closes
it; where a model writes in channels (gpt-oss), whatever comes before the final one. A marker further on in an answer is
text like any other, and so is one that closes what nothing opened.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Parted",
    "ThoughtTally",
    "closing_of",
    "final_text",
    "opens_thoughts",
    "part_thoughts",
    "warn_of_thoughts",
]

log = logging.getLogger("sociolect")
# what opens thoughts and what closes them: DeepSeek-R1, Qwen3 and many more; Magistral; Gemma 4; Command A; Seed-OSS;
# EXAONE Deep
PAIRS = (
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<|channel>", "<channel|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<seed:think>", "</seed:think>"),
    ("<thought>", "</thought>"),
)
CHANNEL, MESSAGE, START = "<|channel|>", "<|message|>", "<|start|>"
MESSAGE_ENDS = ("<|end|>", "<|return|>", "<|call|>", START, CHANNEL)
# tokens at the end of a prompt that are looked at for what it opens
TAIL = 32


@dataclass(frozen=True)
class Parted:
    """Generated tokens, parted.

    Attributes:
        thoughts: tokens before the final part, markers included; all of them where it never came.
        final: tokens of the final part.
        begun: characters of the final part that lie in the last token before it.
    """

    thoughts: tuple[int, ...]
    final: tuple[int, ...]
    begun: str = ""


def part_thoughts(prompt: Sequence[int], generated: Sequence[int], tokenizer: Any) -> Parted:
    """Part an answer from the thoughts before it; an ordinary answer is all final.

    Markers are looked for with special tokens, which the text of an answer does not show.

    Args:
        prompt: token ids.
        generated: token ids that followed, without an end token.
        tokenizer: of the language model.
    """
    ids, asked, said = list(generated), _marked(prompt[-TAIL:], tokenizer), _marked(generated, tokenizer)
    if CHANNEL in said or CHANNEL in asked:
        channels = _part_channels(prompt[-TAIL:], ids, tokenizer)
        if channels is not None:
            return channels
    start, begun, closer = 0, "", _closer(asked) if getattr(tokenizer, "chat_template", None) else None
    while closer := closer or next((c for o, c in PAIRS if said.lstrip().startswith(o)), None):
        at = said.find(closer)
        if at < 0:
            return Parted(tuple(ids), ())

        def closed(n: int, start: int = start, begun: str = begun, closer: str = closer) -> bool:
            return closer in begun + _marked(ids[start:n], tokenizer)

        stop = bisect_left(range(len(ids)), True, lo=start, key=closed)
        begun = (begun + _marked(ids[start:stop], tokenizer))[at + len(closer) :]
        start, closer = stop, None
        # some think twice
        said = begun + _marked(ids[start:], tokenizer)
    if start and not begun.strip():
        begun = ""
        while start < len(ids) and not _text(ids[start], tokenizer).strip():
            start += 1
    return Parted(tuple(ids[:start]), tuple(ids[start:]), begun.lstrip())


def _part_channels(tail: Sequence[int], ids: Sequence[int], tokenizer: Any) -> Parted | None:
    """By channel; None where the tokenizer has no channels, or the answer none."""
    channel, message, start = (_token(name, tokenizer) for name in (CHANNEL, MESSAGE, START))
    # a prompt may open the channel
    turns = [place for place, token in enumerate(tail) if token == start]
    head = list(tail[turns[-1] + 1 :]) if turns else []
    whole = [*head, *ids]
    if channel is None or message is None or channel not in whole:
        return None
    ends = {_token(name, tokenizer) for name in MESSAGE_ENDS}
    for place in (place for place, token in enumerate(whole) if token == channel):
        opened = next((n for n in range(place + 1, len(whole)) if whole[n] == message), None)
        if opened is None or not _marked(whole[place + 1 : opened], tokenizer).strip().startswith("final"):
            continue
        begin = max(0, opened + 1 - len(head))
        end = next((n for n in range(begin, len(ids)) if ids[n] in ends), len(ids))
        return Parted(tuple(ids[:begin]), tuple(ids[begin:end]))
    return Parted(tuple(ids), ())


def final_text(text: str) -> tuple[str, bool]:
    """The final part of a text whose prompt and tokens are not known, and whether thoughts came before it.

    A server that does not part thoughts itself may send them along. A marker that closes what nothing opened closes
    what the prompt opened.
    """
    if CHANNEL in text:
        _, opened, final = text.rpartition(f"{CHANNEL}final{MESSAGE}")
        end = min((at for mark in MESSAGE_ENDS if (at := final.find(mark)) >= 0), default=len(final))
        return (final[:end].strip() if opened else ""), True
    final, thought = text, False
    for opener, closer in PAIRS:
        # some think twice
        while final.lstrip().startswith(opener) or (closer in final and opener not in final.partition(closer)[0]):
            _, closed, rest = final.partition(closer)
            final, thought = (rest if closed else ""), True
    return final.strip(), thought


def opens_thoughts(prompt: str, tokenizer: Any) -> str | None:
    """The marker by which a rendered chat asks for thoughts first, whatever it is asked; None if it does not."""
    template = str(getattr(tokenizer, "chat_template", None) or "")
    if CHANNEL in template and prompt.rstrip().endswith(f"{START}assistant"):
        return CHANNEL
    return next((opener for opener, _ in PAIRS if template and prompt.rstrip().endswith(opener)), None)


def closing_of(prompt: str, tokenizer: Any) -> str:
    """What stands between a rendered chat and an answer without thoughts: nothing, unless the chat asks for some."""
    opener = opens_thoughts(prompt, tokenizer)
    if opener == CHANNEL:
        return f"{CHANNEL}final{MESSAGE}"
    if opener is None:
        return ""
    # as Qwen3 writes a thought that is not there
    return ("\n" if prompt.endswith("\n") else "\n\n") + f"{dict(PAIRS)[opener]}\n\n"


def warn_of_thoughts(prompt: str, tokenizer: Any) -> None:
    """Name a chat template that asks for thoughts, in the log."""
    opener = opens_thoughts(prompt, tokenizer)
    if opener is not None:
        name = getattr(tokenizer, "name_or_path", "") or "the tokenizer"
        log.warning(
            "warning: the chat template of %s opens %s before every answer: thoughts are cut, and count towards "
            "max_new_tokens; an answer that does not get beyond them is empty",
            name,
            opener,
        )


class ThoughtTally:
    """How many answers of a job held thoughts."""

    def __init__(self) -> None:
        self.answers = self.held = self.empty = 0

    def take(self, thoughts: bool, text: str) -> None:
        """Count an answer."""
        self.answers += 1
        self.held += thoughts
        self.empty += thoughts and not text.strip()

    def say(self) -> None:
        """Log the counts, if any answer held thoughts."""
        if self.held:
            log.info(
                "%d of %d answers held thoughts, which were cut; %d have nothing after them and are empty",
                self.held,
                self.answers,
                self.empty,
            )


def _closer(prompt: str) -> str | None:
    """What closes the thoughts that a prompt opens."""
    return next((closer for opener, closer in PAIRS if prompt.rstrip().endswith(opener)), None)


def _marked(ids: Sequence[int], tokenizer: Any) -> str:
    """The text of tokens, special ones included."""
    return str(tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _text(token: int, tokenizer: Any) -> str:
    return str(tokenizer.decode([token], skip_special_tokens=True, clean_up_tokenization_spaces=False))


def _token(name: str, tokenizer: Any) -> int | None:
    """The token of this name; None if the vocabulary has none."""
    token = tokenizer.convert_tokens_to_ids(name)
    return token if token is not None and tokenizer.convert_ids_to_tokens(token) == name else None
