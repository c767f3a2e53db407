"""Prompts: wording, templates, BOS."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from sociolect.common.errors import InputError
from sociolect.lm.prompts import Prompts, encode_prompt, read_prompts, render_chat
from sociolect.lm.wordings import ChatWording, open_wording
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchTokenizer

LLAMA = "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }} {% endfor %}[assistant]"
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }} {% endfor %}[model]"
)
DROPS = "{% for m in messages if m['role'] != 'system' %}[{{ m['role'] }}] {{ m['content'] }} {% endfor %}"


def tokenizer(template: str | None, adds_bos: bool = True) -> PreTrainedTokenizerFast:
    words = ["<s>", "</s>", "<unk>", "hi", "there", "[", "]", "user", "system", "assistant"]
    backend = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    if adds_bos:
        backend.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 0)])
    made = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    made.chat_template = template
    return made


def test_one_bos_whoever_adds_it() -> None:
    made = tokenizer(LLAMA)
    text = render_chat(made, None, "hi there")
    assert text.startswith("<s>")
    assert made(text)["input_ids"][:2] == [0, 0], "the trap that this is about"
    assert encode_prompt(made, text).count(0) == 1
    assert encode_prompt(made, "hi there", rendered=False) == [0, 3, 4]
    assert encode_prompt(made, "<s>hi there", rendered=False) == [0, 3, 4]
    assert encode_prompt(tokenizer(None), "hi there") == [0, 3, 4]
    assert encode_prompt(tokenizer(None, adds_bos=False), "hi there") == [3, 4]


def test_scratch_tokenizer_gets_bos_and_no_bert_tokens() -> None:
    made = train_tokenizer(["you use dots ."], ScratchTokenizer())
    ids = encode_prompt(made, "you use dots .", rendered=False)
    assert made.convert_ids_to_tokens(ids)[0] == "<bos>" and len(ids) == 5
    chat = made.convert_ids_to_tokens(encode_prompt(made, render_chat(made, "you use dots .", "you")))
    assert chat.count("<bos>") == 1 and chat[-1] == "<assistant>" and "<cls>" not in chat


def test_system_turn_survives_templates_that_refuse_or_drop_it() -> None:
    for template in (LLAMA, GEMMA, DROPS, None):
        text = render_chat(tokenizer(template), "You use dots.", "hi")
        assert text.count("You use dots.") == 1 and text.index("You use dots.") < text.index("hi")
    assert "[user] You use dots.\n\nhi" in render_chat(tokenizer(GEMMA), "You use dots.", "hi")


def test_earlier_turns_come_between_the_system_turn_and_the_question() -> None:
    before = [("why", "so"), ("is it", "yes")]
    chat = "<s>[user] why [assistant] so [user] is it [assistant] yes [user] hi [assistant]"
    assert render_chat(tokenizer(LLAMA), None, "hi", before) == chat
    assert render_chat(tokenizer(LLAMA), "Be.", "hi", before) == chat.replace("<s>", "<s>[system] Be. ")
    refused = (
        chat.replace("<s>[user]", "<s>[user] Be.\n\n", 1).replace("\n ", "\n").replace("hi [assistant]", "hi [model]")
    )
    assert render_chat(tokenizer(GEMMA), "Be.", "hi", before) == refused
    assert "Be.\n\nwhy" in render_chat(tokenizer(DROPS), "Be.", "hi", before)
    assert render_chat(tokenizer(None), "Be.", "hi", before) == "Be.\n\nwhy\n\nso\n\nis it\n\nyes\n\nhi\n\n"
    for template in (LLAMA, GEMMA, DROPS, None):
        assert render_chat(tokenizer(template), None, "hi", []) == render_chat(tokenizer(template), None, "hi")


ASKS_THE_DAY = "{{ strftime_now('%d %b %Y') }} | " + LLAMA
NAMED_DAY = (
    "{% if date_string is not defined %}"
    "{% if strftime_now is defined %}{% set date_string = strftime_now('%d %b %Y') %}"
    "{% else %}{% set date_string = '26 Jul 2024' %}{% endif %}"
    "{% endif %}"
    f"Today: {{{{ date_string }}}} | {LLAMA}"
)
IN_A_MACRO = "{% macro day() %}{{ strftime_now('%Y-%m-%d %H:%M') }}{% endmacro %}{{ day() }} | " + LLAMA


def test_no_prompt_says_the_day_of_the_run() -> None:
    rest = " | <s>[user] hi [assistant]"
    for template, first, other in (
        (ASKS_THE_DAY, "01 Jan 2025", "29 Feb 2028"),
        (NAMED_DAY, "Today: 01 Jan 2025", "Today: 29 Feb 2028"),
        (IN_A_MACRO, "2025-01-01 00:00", "2028-02-29 00:00"),
    ):
        made = tokenizer(template)
        assert render_chat(made, None, "hi") == first + rest
        assert render_chat(made, None, "hi", date=date(2028, 2, 29)) == other + rest
        wording = open_wording(made, "chat", date="2028-02-29")
        assert wording.render("question", "hi", "g", ()) == other + rest
        assert wording.worded(system_joiner="; ").render_turns(None, "hi") == other + rest
        assert wording.render_examples("hi", []) == other + rest
        assert open_wording(made, "chat").render_turns(None, "hi") == first + rest
    # a template without a day is the same on all
    assert render_chat(tokenizer(LLAMA), None, "hi", date=date(2028, 2, 29)) == render_chat(
        tokenizer(LLAMA), None, "hi"
    )


PARTS = (
    "{% for m in messages %}[{{ m['role'] }}] {% for part in m['content'] %}{% if part['type'] == 'text' %}"
    "{{ part['text'] | trim }}{% endif %}{% endfor %} {% endfor %}[assistant]"
)
# of a string it prints a letter a line
LETTERS = PARTS.replace("{% if part['type'] == 'text' %}", "{% if part is string %}{{ part }}\n{% else %}")


@pytest.mark.parametrize("template", [PARTS, LETTERS])
def test_template_that_prints_lists_of_parts_only_gets_them(template: str) -> None:
    made = tokenizer(template)
    assert "why not" not in made.apply_chat_template([{"role": "user", "content": "why not"}], tokenize=False)
    assert render_chat(made, None, " why not ") == "[user] why not [assistant]"
    assert render_chat(made, "Be.", "why not", [("is it", "yes")]) == (
        "[system] Be. [user] is it [assistant] yes [user] why not [assistant]"
    )
    refuses = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + template
    assert render_chat(tokenizer(refuses), "Be.", "why not") == "[user] Be.\n\nwhy not [assistant]"


def test_white_space_that_a_template_trims_is_no_loss() -> None:
    trims = LLAMA.replace("m['content']", "m['content'] | trim")
    assert render_chat(tokenizer(trims), " Be. ", " hi there\n") == "<s>[system] Be. [user] hi there [assistant]"


def test_text_that_a_template_leaves_out_ends_the_run() -> None:
    last = "{{ messages[0]['role'] }}: {% for m in messages[-1:] %}{{ m['content'] }}{% endfor %}"
    cuts = LLAMA.replace("m['content']", "m['content'][:9]")
    silent = LLAMA.replace("{{ m['content'] }}", "")
    for template, lost in ((last, "is it"), (cuts, "why not and so"), (silent, "is it")):
        made = tokenizer(template)
        made.name_or_path = "models/odd"
        with pytest.raises(InputError, match=f"template of models/odd leaves '{lost}' out .* prompts.style: document"):
            render_chat(made, None, "why not and so", [("is it", "yes")])


def test_four_kinds() -> None:
    wording = ChatWording(tokenizer(None), Prompts())

    def ask(kind: str, attributes: tuple[str, ...] = ("dots", "{question}")) -> str:
        return wording.render(kind, "why {group}?", "life_scientist", attributes)

    assert ask("question") == "why {group}?\n\n"
    assert ask("question+group") == "You belong to the group life scientist.\n\nwhy {group}?\n\n"
    assert ask("question+attributes") == "You use dots. You use {question}.\n\nwhy {group}?\n\n"
    both = "You belong to the group life scientist. You use dots. You use {question}.\n\nwhy {group}?\n\n"
    assert ask("question+group+attributes") == both
    with pytest.raises(InputError, match="life_scientist"):
        ask("question+attributes", ())
    with pytest.raises(InputError, match="unknown prompt kind"):
        ask("questoin")


def test_prompt_file_errors_name_the_key(tmp_path: Path) -> None:
    file = tmp_path / "conditions.yaml"
    file.write_text("group_instruction: You are one of us.\ndescription_joiner: x\n")
    with pytest.raises(InputError, match=r"conditions.yaml: line 1, key 'group_instruction'.*\{group\}"):
        read_prompts(file)
    file.write_text("system_joiner: ' / '\ndescription_joiner: x\n")
    assert read_prompts(file).system_joiner == " / "
    file.write_text('group_instructions: "x {group}"\ndescription_prompt: "{answer}"\n')
    with pytest.raises(InputError, match="line 1, key 'group_instructions': there is no such key; write 'group_inst"):
        read_prompts(file)
    with pytest.raises(InputError, match=r"prompt_file"):
        read_prompts(tmp_path / "none.yaml")
