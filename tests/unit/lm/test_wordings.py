"""How a model is asked: chats as ever, documents by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from sociolect.common.errors import InputError
from sociolect.lm.requests import Request, result_of
from sociolect.lm.wordings import Wording, open_wording
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchTokenizer
from spoken import spaced_tokenizer

FILE = ROOT / "workflow" / "prompts" / "document.yaml"
CHAT = ROOT / "workflow" / "prompts" / "conditions.yaml"


@pytest.fixture
def wording() -> Wording:
    return open_wording(spaced_tokenizer(), "auto", CHAT, FILE)


def test_the_four_kinds_by_hand(wording: Wording) -> None:
    def ask(kind: str) -> str:
        return wording.render(kind, " Why {group}?\n", "life_scientist", ("dots", "{question}"))

    body = "Question: Why {group}?\nAnswer:"
    group = "The following answer was written by a member of the group life scientist."
    assert ask("question") == body
    assert ask("question+group") == f"{group}\n\n{body}"
    assert ask("question+attributes") == f"You use dots. You use {{question}}.\n\n{body}"
    assert ask("question+group+attributes") == f"{group} You use dots. You use {{question}}.\n\n{body}"
    with pytest.raises(InputError, match="life_scientist"):
        wording.render("question+attributes", "Why?", "life_scientist", ())


def test_the_describer_s_turns_become_a_document(wording: Wording) -> None:
    assert wording.render_request("You look.", "Read {request}.\n") == "You look.\n\nRead {request}.\n\nSentences:\n"
    assert wording.render_request(None, "Read.") == "Read.\n\nSentences:\n"
    # its sentences stand one per line, so that a blank line ends them; an answer has paragraphs
    assert "\n\n" in wording.describer_stop and "\n\n" not in wording.stop


def test_examples_are_earlier_paragraphs_of_a_document(wording: Wording) -> None:
    body = "Question: Why?\nAnswer:"
    found = wording.render_examples("Why?", [("Is it\n", " It is.\n"), ("Not?", "No.")])
    assert found == f"Question: Is it\nAnswer: It is.\n\nQuestion: Not?\nAnswer: No.\n\n{body}"
    assert wording.render_examples("Why?", []) == body == wording.render("question", "Why?", "x", ())


def test_examples_are_earlier_turns_of_a_chat() -> None:
    made = train_tokenizer(["You use dots . Why ?"], ScratchTokenizer())
    wording = open_wording(made, "chat")
    turns = [("user", "Is it"), ("assistant", "It is."), ("user", "Why ?")]
    chat = [{"role": role, "content": text} for role, text in turns]
    text: Any = made.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert wording.render_examples("Why ?", [("Is it", "It is.")]) == text
    assert wording.render_examples("Why ?", []) == wording.render("question", "Why ?", "x", ())


def test_a_chat_is_what_it_was() -> None:
    made = train_tokenizer(["You use dots . Why ?"], ScratchTokenizer())
    wording = open_wording(made, None, CHAT, FILE)
    turns = [{"role": "system", "content": "You use dots."}, {"role": "user", "content": "Why ?"}]
    text: Any = made.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert wording.style == "chat" and wording.render("question+attributes", "Why ?", "x", ["dots"]) == text
    encoded: Any = made.apply_chat_template(turns, add_generation_prompt=True)
    assert wording.encode(text) == encoded["input_ids"]
    assert wording.render_request("You use dots.", "Why ?") == text
    assert wording.stop == wording.describer_stop == () and wording.text_of(" Why \n") == " Why \n"
    alone = made("Why ?", add_special_tokens=False)["input_ids"]
    assert wording.continuations([text, text], ["Why ?", ""]) == [
        (wording.encode(text), alone),
        (wording.encode(text), []),
    ]


def test_who_is_asked_how(tmp_path: Path) -> None:
    chats, bare = train_tokenizer(["Why ?"], ScratchTokenizer()), spaced_tokenizer()
    assert [open_wording(made, None).style for made in (chats, bare)] == ["chat", "document"]
    assert open_wording(chats, "document").style == "document" and open_wording(bare, "chat").style == "chat"
    with pytest.raises(InputError, match=r"prompts\.style 'letter'.*chat or document"):
        open_wording(bare, "letter")
    (tmp_path / "d.yaml").write_text("stop: [END]")
    assert open_wording(bare, None, document_file=tmp_path / "d.yaml").stop == ("END",)


def test_a_text_follows_its_prompt_after_a_space_whoever_wrote_it(wording: Wording) -> None:
    made = wording.tokenizer
    prompt = wording.render("question", "Why not?", "x", ())
    head = ["<s>", "Question:", " Why", " not?", "\n", "Answer:"]
    assert made.convert_ids_to_tokens(wording.encode(prompt)) == head
    # what the model writes, as a reader sees it, and what a person wrote
    generated = wording.text_of(" Store coffee cold.\n\n")
    assert generated == "Store coffee cold."
    texts = [generated, "\n Store coffee cold. ", "Store<s> coffee", "", " \n"]
    found = wording.continuations([prompt] * 5, texts)
    tokens = [made.convert_ids_to_tokens(body) for _, body in found]
    said = [" Store", " coffee", " cold."]
    assert tokens == [said, said, said[:2], [], []]
    assert all(made.convert_ids_to_tokens(ids) == head for ids, _ in found)


def test_no_answer_holds_the_next_question(wording: Wording) -> None:
    made = wording.tokenizer
    request = Request("r", (2,), 20, 1.0, 1.0, 0, stop=wording.stop)
    asked = "\n\nQuestion: Why not?\nAnswer: it is"
    said = "Store coffee\n\n cold."
    for tail in (asked, asked[1:], " Question: Why not?", "\nAnswer: it", "\n\n\n it"):
        result = result_of(request, made(f" {said}{tail}", add_special_tokens=False)["input_ids"], {1}, made)
        assert (wording.text_of(result.text), result.finish_reason) == (said, "stop_string"), tail
    # one blank line parts paragraphs
    result = result_of(request, made(f" {said}\n\n it", add_special_tokens=False)["input_ids"], {1}, made)
    assert (result.text, result.finish_reason) == (f" {said}\n\n it", "length")
    # asked again at once: nothing was answered
    result = result_of(request, made(asked, add_special_tokens=False)["input_ids"], {1}, made)
    assert wording.text_of(result.text) == "" and result.finish_reason == "stop_string"


def test_other_instructions_change_nothing_else(wording: Wording) -> None:
    other = {"group_instruction": "As a {group}!", "attributes_instruction": "Mind {attribute}."}
    chat = open_wording(train_tokenizer(["Mind dots . Why ?"], ScratchTokenizer()), "chat", CHAT)
    for configured in (wording, chat):
        found = configured.worded(**other)
        assert type(found) is type(configured) and found.tokenizer is configured.tokenizer
        assert (found.stop, found.describer_stop) == (configured.stop, configured.describer_stop)
        assert found.prompts.model_dump() == configured.prompts.model_dump() | other
        # what says neither is as it was
        asked = [one.render("question", "Why ?", "x", ()) for one in (configured, found)]
        assert asked[0] == asked[1]
        said = found.render("question+group+attributes", "Why ?", "x_y", ["dots", "semicolons"])
        assert "As a x y! Mind dots. Mind semicolons." in said
        # with the words that it has, it is what it was
        own = {name: getattr(configured.prompts, name) for name in other}
        assert found.worded(**own).prompts == configured.prompts
        for name, slot in (("group_instruction", "{group}"), ("attributes_instruction", "{attribute}")):
            with pytest.raises(ValueError, match=f"{name}(.|\n)*must contain {slot}"):
                configured.worded(**{**other, name: "Mind."})


def test_nothing_to_ask_is_an_error(wording: Wording) -> None:
    for text in ("", "<s>"):
        with pytest.raises(InputError, match="has no tokens"):
            wording.encode(text)
