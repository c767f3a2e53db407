"""Documents: their file, and <bos> exactly once."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import ROOT
from sociolect.common.errors import InputError
from sociolect.lm.document_prompts import document, encode_document, read_document_prompts, spaced
from sociolect.lm.prompts import read_prompts
from spoken import spaced_tokenizer

FILES = ROOT / "workflow" / "prompts"


@pytest.mark.parametrize("adds", [0, 1, 2])
@pytest.mark.parametrize("text", ["Store coffee", "<s>Store coffee", "<s><s>Store<s> coffee"])
def test_bos_once_whoever_adds_it(adds: int, text: str) -> None:
    made = spaced_tokenizer(adds=adds)
    assert made("Store coffee")["input_ids"].count(2) == adds, "the trap that this is about"
    ids, offsets = encode_document(made, text)
    assert made.convert_ids_to_tokens(ids) == ["<s>", "Store", " coffee"]
    assert [text[start:end] for start, end in offsets] == ["", "Store", " coffee"]


def test_no_bos_where_the_model_has_none() -> None:
    made = spaced_tokenizer(bos=None)
    assert made.convert_ids_to_tokens(encode_document(made, "Store coffee")[0]) == ["Store", " coffee"]


def test_parts_by_hand() -> None:
    assert document("You use dots.", "Why?") == "You use dots.\n\nWhy?" and document(None, "Why?") == "Why?"
    assert spaced("Answer:", "Yes.") == "Answer: Yes." and spaced("Sentences:\n", "Yes.") == "Sentences:\nYes."


def test_the_wording_of_the_project() -> None:
    prompts, chat = read_document_prompts(FILES / "document.yaml"), read_prompts(FILES / "conditions.yaml")
    # what is read for the steering is the sentence that the prompt says
    assert prompts.attributes_instruction == chat.attributes_instruction
    # a prompt that ends in a space has the model begin in the middle of a token
    assert prompts.question_prompt == prompts.question_prompt.strip()
    # the beginning of another document ends an answer, whatever it asks about
    for begins in (prompts.group_instruction, prompts.question_prompt):
        head = "\n" + begins.partition("{")[0]
        assert any(stop in head for stop in prompts.stop), head
    for asked in ("\nQ#3: Why?", "\n\nQ: Why?", "\nQuestion: Why?", "\nQ1. Why?", "\n\n**Question:** Why?"):
        assert any(stop in asked for stop in prompts.stop), asked
    assert not any(stop in "One paragraph.\n\nAnother, with a question: is it?\n- yes" for stop in prompts.stop)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("question_prompt: 'Why?'", r"key 'question_prompt'.*\{question\}"),
        ("describer_prompt: 'Why?'", r"key 'describer_prompt'.*\{request\}"),
        ("stop: ['a', '']", "key 'stop'.*must not be empty"),
        ("stop: []", "key 'stop'"),
        ("stops: ['a']", "key 'stops'"),
    ],
)
def test_errors_name_the_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "d.yaml").write_text(text)
    with pytest.raises(InputError, match=rf"d\.yaml: line 1, {message}"):
        read_document_prompts(tmp_path / "d.yaml")


def test_a_missing_file_is_named_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml.*prompts\.document_file"):
        read_document_prompts(tmp_path / "none.yaml")
