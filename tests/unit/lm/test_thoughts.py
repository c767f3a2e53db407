"""Thoughts: what is cut before an answer, what is not, what is counted, and after what a text is read."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from sociolect.common.schemas import REQUESTS
from sociolect.generation.asking import ask_plainly
from sociolect.lm.fluency import log_perplexities
from sociolect.lm.prompts import Prompts
from sociolect.lm.requests import Request, Result, result_of
from sociolect.lm.stopping import text_of
from sociolect.lm.thoughts import PAIRS, ThoughtTally, closing_of, opens_thoughts, part_thoughts
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import ChatWording, open_wording
from sociolect.settings.generation import GenerationSettings
from tiny_models import save_llama, word_tokenizer

torch.set_num_threads(1)
END = "<end>"
CHANNELS = ["<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|return|>"]
ASKS = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
OPENS = ASKS + "{{ '<think>\n' }}"
TURNS = (
    "{% for m in messages %}<|start|>{{ m['role'] }}<|message|>{{ m['content'] }}<|end|>{% endfor %}<|start|>assistant"
    "{# <|channel|> is what the model writes #}"
)


def letters(template: str = ASKS, special: list[str] | None = None, words: list[str] | None = None) -> Any:
    """A tokenizer of single bytes, and of these markers; the special ones are not shown in a text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_tokens([AddedToken(word, special=False, normalized=False) for word in words or []])
    made = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=END, additional_special_tokens=special or [])
    made.chat_template = template
    return made


def said(tokenizer: Any, generated: str, prompt: str = "assistant:", stop: tuple[str, ...] = (), **more: Any) -> Result:
    """The result of what was generated after a prompt."""
    ids = [tuple(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in (prompt, generated)]
    request = Request("r", ids[0], 999, 0.0, 1.0, 0, stop=stop, **more)
    return result_of(request, ids[1], {tokenizer.eos_token_id}, tokenizer)


def seen(result: Result, tokenizer: Any) -> tuple[str, str, str]:
    """Text, text of its tokens, and why it ended."""
    return result.text, text_of(result.token_ids, tokenizer), result.finish_reason


KINDS = {
    "ordinary text": (None, None),
    "tokens": (None, [marker for pair in PAIRS for marker in pair]),
    "special tokens": ([marker for pair in PAIRS for marker in pair], None),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("opener", "closer"), PAIRS)
def test_thoughts_at_the_beginning_are_cut(kind: str, opener: str, closer: str) -> None:
    tokenizer = letters(ASKS, *KINDS[kind])
    for generated, text in (
        (f"{opener}\nhm: yes?\n{closer}\n\nYes. No.", "Yes. No."),
        (f"\n{opener}hm{closer}Yes{closer}", "Yes" + (closer if kind != "special tokens" else "")),
        # an empty thought, and two in a row
        (f"{opener}\n\n{closer}\n\nYes", "Yes"),
        (f"{opener}hm{closer}\n{opener}hm, hm{closer} Yes", "Yes"),
        # of a letter of several bytes none is lost
        (f"{opener}h\u00f6m{closer}\n\u00c4h \U0001f600", "\u00c4h \U0001f600"),
    ):
        result = said(tokenizer, generated + END)
        assert seen(result, tokenizer) == (text, text, "stop"), generated
        whole = tokenizer(generated, add_special_tokens=False)["input_ids"]
        assert [*result.thoughts, *result.token_ids] == whole and result.thoughts
    never = said(tokenizer, f"{opener}hm and hm")
    assert seen(never, tokenizer) == ("", "", "length") and not never.token_ids
    assert tokenizer.decode(never.thoughts) == f"{opener}hm and hm"
    assert said(tokenizer, f"{opener}hm and hm{END}").finish_reason == "stop"


def test_thoughts_that_the_prompt_opens_are_cut() -> None:
    tokenizer = letters(OPENS, words=["<think>", "</think>"])
    opened = "user: why\nassistant:<think>\n"
    assert seen(said(tokenizer, f"hm\n</think>\n\nSo.{END}", opened), tokenizer) == ("So.", "So.", "stop")
    assert seen(said(tokenizer, "hm and so", opened), tokenizer) == ("", "", "length")
    assert seen(said(tokenizer, "<think>hm</think> So", opened), tokenizer) == ("So", "So", "length")
    # of a prompt that closes them again (enable_thinking: false), or that asks about them, all is the answer
    for prompt in (opened + "\n</think>\n\n", "user: what is <think>?\nassistant:"):
        assert seen(said(tokenizer, "hm and so", prompt), tokenizer) == ("hm and so", "hm and so", "length")
    # without a chat template what a prompt ends in is somebody's text
    bare = letters("", words=["<think>", "</think>"])
    assert said(bare, "It opens.", "what is <think>\n\n").text == "It opens."


def test_an_ordinary_answer_is_what_it_was() -> None:
    for generated in (
        "  So it is.\n",
        "",
        "Write <think>hm</think> before it.",
        "So.</think> And so.",
        "It says analysis<|channel|>final<|message|>yes",
    ):
        for special, words in KINDS.values():
            tokenizer = letters(OPENS, special, words)
            ids = tuple(tokenizer(generated, add_special_tokens=False)["input_ids"])
            wanted = Result("r", ids, tokenizer.decode(ids, skip_special_tokens=True), "length")
            assert said(tokenizer, generated) == wanted
    tokenizer = word_tokenizer()
    assert said(tokenizer, "waa wab", "wac").text == "waa wab"


def test_the_final_channel_is_the_answer() -> None:
    tokenizer = letters(TURNS, CHANNELS)
    turn = "<|start|>user<|message|>why<|end|><|start|>assistant"
    thinks = "<|channel|>analysis<|message|>hm: analysis, final?<|end|><|start|>assistant"
    # the trap that this is about
    assert text_of(tokenizer(thinks + "<|channel|>final<|message|>So.")["input_ids"], tokenizer) == (
        "analysishm: analysis, final?assistantfinalSo."
    )
    final = "<|channel|>final<|message|>So. <think>"
    for generated, text in (
        (thinks + final, "So. <think>"),
        (final, "So. <think>"),
        (thinks + "<|channel|>commentary<|message|>hm<|end|><|start|>assistant" + final, "So. <think>"),
        # what follows the message is not the answer
        (thinks + final + "<|return|>", "So. <think>"),
        (thinks + final + thinks, "So. <think>"),
    ):
        result = said(tokenizer, generated, turn)
        assert seen(result, tokenizer) == (text, text, "length"), generated
    for generated in (thinks, thinks + "<|channel|>fin", "<|channel|>analysis<|message|>hm", "<|channel|>"):
        never = said(tokenizer, generated, turn)
        assert seen(never, tokenizer) == ("", "", "length") and never.thoughts
    # a prompt that opens a channel
    assert said(tokenizer, "So.", turn + "<|channel|>final<|message|>") == said(tokenizer, "So.", turn)
    assert said(tokenizer, "hm", turn + "<|channel|>analysis<|message|>").text == ""
    assert said(tokenizer, "hm<|end|>" + final, turn + "<|channel|>analysis<|message|>").text == "So. <think>"


def test_stop_strings_end_the_final_part_and_a_pattern_has_no_thoughts() -> None:
    tokenizer = letters()
    cut = said(tokenizer, "<think>hm</think>\n So and so. Q: why", stop=("Q:",))
    assert seen(cut, tokenizer) == ("So and so. ", "So and so. ", "stop_string")
    # both backends stop at it, wherever it is
    assert seen(said(tokenizer, "<think>hm Q:", stop=("Q:",)), tokenizer) == ("", "", "stop_string")
    held = said(letters(OPENS), "The author uses dots.", "assistant:<think>\n", pattern=".*")
    assert held.text == "The author uses dots." and held.thoughts == ()


class Pairs:
    """A tokenizer whose tokens are two letters: a marker may end, and the answer begin, in the same."""

    chat_template = OPENS

    def decode(self, ids: list[int], **_: bool) -> str:
        return "".join(chr(i // 256) + chr(i % 256) for i in ids)


def test_letters_of_the_answer_that_share_a_token_with_the_marker_are_kept() -> None:
    for text in ("hm</think>So it is", "h</think>So it is", "h</think>\n\nSo it is.", "<think>hm</think>So it is."):
        padded = text + " " * (len(text) % 2)
        ids = [ord(a) * 256 + ord(b) for a, b in zip(padded[::2], padded[1::2], strict=True)]
        prompt = [ord(a) * 256 + ord(b) for a, b in ("<t", "hi", "nk", ">\n")]
        result = result_of(Request("r", tuple(prompt), 99, 0.0, 1.0, 0), ids, (), Pairs())
        assert result.text.strip(" .") == "So it is", text
        parted = part_thoughts(prompt, ids, Pairs())
        assert [*parted.thoughts, *parted.final] == ids


def test_a_template_that_asks_for_thoughts_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for template, special, named in ((OPENS, [], "<think>"), (TURNS, CHANNELS, "<|channel|>")):
        tokenizer = letters(template, special)
        tokenizer.name_or_path = "models/thinker"
        open_wording(tokenizer, "chat")
        (line,) = caplog.messages
        assert line.startswith(f"warning: the chat template of models/thinker opens {named} before every answer")
        caplog.clear()
    closed = OPENS.replace("<think>\n", "<think>\n\n</think>")
    open_wording(letters(ASKS), "chat"), open_wording(letters(closed), "chat"), open_wording(letters(OPENS), "document")
    assert not caplog.messages


def test_texts_are_read_after_thoughts_that_are_closed() -> None:
    for template, special, prompt in (
        (OPENS, [], "user: why\nassistant:<think>\n\n</think>\n\n"),
        (ASKS + "<think>", [], "user: why\nassistant:<think>\n\n</think>\n\n"),
        (TURNS, CHANNELS, "<|start|>user<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>"),
        (ASKS, [], "user: why\nassistant:"),
    ):
        tokenizer = letters(template, special)
        wording = ChatWording(tokenizer, Prompts())
        asked = wording.render("question", "why", "g", ())
        ((head, body),) = wording.continuations([asked], ["So."])
        assert tokenizer.decode(head) == prompt == asked + closing_of(asked, tokenizer)
        assert tokenizer.decode(body) == "So."
        assert (opens_thoughts(asked, tokenizer) is None) == (asked == prompt)
        # an answer after it is no thought
        assert said(tokenizer, "So.", prompt).text == "So."


def save_chain(folder: Path, tokenizer: Any, spoken: str) -> None:
    """A Llama that says one of these tokens after the other, and ends."""
    size = len(tokenizer)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=size + size % 2,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=64,
        eos_token_id=tokenizer.eos_token_id,
    )
    model, ids = LlamaForCausalLM(config), tokenizer(spoken, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.zero_() if "proj" in name or "lm_head" in name else weight.fill_(1)
        model.model.embed_tokens.weight.copy_(torch.eye(size, config.hidden_size))
        for before, after in zip(ids, [*ids[1:], tokenizer.eos_token_id], strict=True):
            model.lm_head.weight[after, before] = 9
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def test_thoughts_are_neither_stored_nor_measured(tmp_path: Path) -> None:
    """A model that thinks two letters and answers with two: the table, and the perplexity of its text."""
    save_chain(tmp_path, letters(ASKS + "<think>", ["<think>", "</think>"]), "<think>ab</think>\ncd")
    backend = TransformersBackend(tmp_path, 999)
    wording = open_wording(backend.tokenizer, None)
    prompt = wording.render("question", "why", "g", ())
    row = {"request_id": "1", "question_id": "q", "question_group": "g", "target": "g", "condition": "question"}
    requests = REQUESTS.frame([{**row, "sample": 0, "prompt": prompt, "seed": 1, "method": None}])

    def answered(most: int) -> dict[str, Any]:
        settings = GenerationSettings(max_new_tokens=most, temperature=0)
        return ask_plainly(backend, wording, requests, settings).row(0, named=True)

    def kept(most: int) -> tuple[Any, ...]:
        row = answered(most)
        return row["text"], row["n_tokens"], row["finish_reason"]

    assert kept(9) == ("cd", 2, "stop")
    # its thoughts count towards the limit: two letters, the marker, the line break
    assert kept(5) == ("c", 1, "length")
    assert kept(4) == kept(2) == ("", 0, "length")
    found = log_perplexities(backend.model, wording, [prompt] * 3, ["cd", "ab", ""], 99)
    # certain of the answer after thoughts that are closed, and not of the thought
    assert found[0] < 1e-6 and found[1] > 1 and np.isnan(found[2])


def test_the_log_counts_answers_with_thoughts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tokenizer = word_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}<think>"
    tokenizer.add_tokens(["<think>", "</think>"])
    save_llama(tmp_path, tokenizer)
    backend = TransformersBackend(tmp_path, 999)
    wording = open_wording(backend.tokenizer, None)
    thinking = wording.requests([wording.render("question", "waa wab", "g", ())] * 2, [1, 2], 8, 1.0, 1.0)
    plain = Request("plain", tuple(wording.encode("waa wab")), 8, 1.0, 1.0, 3)
    found = {result.id: result for result in backend.generate([*thinking, plain])}
    caplog.clear()
    backend.close()
    assert found["000000"].text == "" and found["plain"].thoughts == ()
    assert caplog.messages == ["2 of 3 answers held thoughts, which were cut; 2 have nothing after them and are empty"]
    tally = ThoughtTally()
    caplog.clear()
    tally.take(False, "")
    tally.say()
    assert not caplog.messages
    tally.take(True, "So.")
    tally.take(True, " ")
    tally.say()
    assert caplog.messages == ["2 of 3 answers held thoughts, which were cut; 1 have nothing after them and are empty"]
