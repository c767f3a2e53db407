"""Choosing answers, reading what was said, the describer that asks a model, and both programs."""

from __future__ import annotations

import json
import logging
import runpy
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from sociolect.attributes import llm
from sociolect.attributes.llm import DescriptionPrompts, cut_text, describe_answers, read_description_prompts
from sociolect.attributes.parsing import parse_output, parse_sentence, sentence_table
from sociolect.common.artifacts import read_table, write_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import CATALOGUE, SAMPLES, SENTENCES
from sociolect.corpus.balanced import choose_answers
from sociolect.lm.requests import Request, Result
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.attributes import DescriptionSettings
from sociolect.settings.models import ScratchTokenizer
from sociolect.stylometry.stylometry import describe, fit_thresholds

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"


@pytest.mark.parametrize(
    ("sentence", "attribute"),
    [
        ("The author uses short sentences.", "short sentences"),
        ("- the author often uses Short  sentences", "short sentences"),
        ("12) **This author** is using contractions!", "contractions"),
        ("a) You use British spelling.", "British spelling"),
        ("The writer relies on the passive voice.", "the passive voice"),
        ("The author writes in the first person.", "the first person"),
        ("This text contains many commas.", "many commas"),
        ("The author\u2019s writing includes hedges.", "hedges"),
        ("The author is formal.", "a formal tone"),
        ("The author is very enthusiastic and friendly.", "a very enthusiastic and friendly tone"),
        ("The author's tone is informal.", "an informal tone"),
        ("The author's punctuation is sparse.", "sparse punctuation"),
        ("The writing style is academic.", "an academic writing style"),
        ("This text is unusual.", "an unusual style"),
        ("The text is unified.", "a unified style"),
        ("The author has a warm tone.", "a warm tone"),
        # not read: negated, about the content, another form, nothing left
        ("The author does not use commas.", None),
        ("The author rarely uses commas.", None),
        ("The author avoids commas.", None),
        ("The author is not formal.", None),
        ("The author is a physicist.", None),
        ("The author has experience with lasers.", None),
        ("The author is writing about lasers.", None),
        ("Here are eight sentences:", None),
        ("short sentences", None),
        ("The author uses .", None),
        ("", None),
    ],
)
def test_parse_sentence(sentence: str, attribute: str | None) -> None:
    assert parse_sentence(sentence) == attribute


def test_parse_output_splits_and_leaves_the_cut_end() -> None:
    text = "1. The author uses dashes. The author uses colons.\n\nSure!\nThe author uses dashes.\nThe author uses many"
    assert parse_output(text, truncated=True) == [
        ("1. The author uses dashes.", "dashes"),
        ("The author uses colons.", "colons"),
        ("Sure!", None),
        ("The author uses dashes.", "dashes"),
        ("The author uses many", None),
    ]
    assert parse_output(text, truncated=False)[-1] == ("The author uses many", "many")
    assert parse_output(text + " dashes.", truncated=True)[-1] == ("The author uses many dashes.", "many dashes")
    assert parse_output("The author uses dashes.\n" * 3, truncated=False) == [("The author uses dashes.", "dashes")]


def samples(rows: Sequence[tuple[str, str, str]], text: str = "Text of {}.") -> pl.DataFrame:
    """A table of samples from (answer_id, group, part)."""
    return SAMPLES.frame(
        [(f"q{a}", "What?", a, text.format(a), None if a[-1] == "0" else f"u{a}", g, p) for a, g, p in rows]
    )


def make(prefix: str, group: str, part: str, n: int) -> list[tuple[str, str, str]]:
    return [(f"{prefix}{i}", group, part) for i in range(n)]


def test_choice_is_balanced_and_takes_an_answer_once() -> None:
    single = samples(make("sx", "x", "train", 40) + make("sy", "y", "train", 40) + make("vx", "x", "val", 9))
    multi = samples(make("mx", "x", "train", 40) + make("mz", "z", "train", 4) + make("tz", "z", "test", 3))
    askx = samples(make("mx", "x", "train", 20))
    splits = {"single": single, "multi": multi, "askx": askx}
    chosen = choose_answers(splits, n_answers=28, n_heldout=5, seed=1)
    train = chosen.filter(pl.col("part") == "train")
    # z has 4 only; x and y share the other 24, and x takes its 12 from three splits in turn
    assert Counter(train["group"]) == {"x": 12, "y": 12, "z": 4}
    assert Counter(train.filter(pl.col("group") == "x")["split"]) == {"single": 4, "multi": 4, "askx": 4}
    assert Counter(chosen["part"]) == {"train": 28, "val": 5, "test": 3}
    assert chosen["answer_id"].is_unique().all() and chosen["answer_id"].is_sorted()
    shuffled = {s: f.sample(fraction=1.0, shuffle=True, seed=2) for s, f in reversed(splits.items())}
    assert choose_answers(shuffled, 28, 5, 1).equals(chosen)
    more = choose_answers(splits, 40, 5, 1)
    assert set(chosen["answer_id"]) < set(more["answer_id"]), "a larger number only adds"
    assert not choose_answers(splits, 28, 5, 2).equals(chosen)


def test_choice_faults() -> None:
    one, other = samples(make("a", "x", "train", 2)), samples(make("a", "x", "train", 2), "Other {}.")
    with pytest.raises(InputError, match=r"samples of multi, single: answer_id 'a0' has another text"):
        choose_answers({"single": one, "multi": other}, 2, 0, 0)
    with pytest.raises(InputError, match="no answer of part train"):
        choose_answers({"single": samples(make("a", "x", "val", 2))}, 2, 1, 0)


def test_an_answer_without_a_sentence_keeps_a_row() -> None:
    chosen = choose_answers({"single": samples(make("a", "x", "train", 2))}, 2, 0, 0)
    table = sentence_table(chosen, [[], [("p@1", "The author uses dashes.", "dashes"), ("p@1", "Hm.", None)]], "llm")
    assert table.select("answer_id", "author", "prompt_id", "sentence", "attribute").rows() == [
        ("a0", None, "llm", "", None),
        ("a1", "ua1", "p@1", "The author uses dashes.", "dashes"),
        ("a1", "ua1", "p@1", "Hm.", None),
    ]


PROMPTS = DescriptionPrompts.model_validate(
    {
        "version": 3,
        "system": "S",
        "task": "Reply.",
        "prompts": [
            {"id": "open", "kind": "open", "text": "{answer} How? {task}"},
            {"id": "tone", "kind": "targeted", "text": "Tone of {answer}?"},
        ],
    }
)
SETTINGS = DescriptionSettings(max_new_tokens=8, max_prompt_chars=30)


def encode(system: str | None, user: str) -> list[int]:
    return [ord(c) for c in f"{system}|{user}"]


class Player:
    """Plays back a text that tells what it was asked; stops dead after `budget` requests."""

    tokenizer = context = end_token = None
    guides = False

    def __init__(self, budget: int = 10**9, one_queue: bool = False) -> None:
        self.one_queue = one_queue
        self.asked: list[str] = []
        self.budget = budget

    def generate(self, requests: Sequence[Request], progress: Any = None) -> Iterator[Result]:
        for request in reversed(requests):
            if len(self.asked) == self.budget:
                raise KeyboardInterrupt
            assert request.temperature == 0 and request.max_new_tokens == 8
            prompt = "".join(map(chr, request.prompt_token_ids))
            self.asked.append(prompt)
            word = "dashes" if "Tone" in prompt else f"words like {prompt[2:4]}"
            yield Result(request.id, (), f"Sure.\nThe author uses {word}.", "stop")


def test_llm_asks_every_question_once_and_keeps_what_was_said(tmp_path: Path) -> None:
    player = Player()
    said = describe_answers(["a{task}", "bb", "a{task}"], PROMPTS, player, encode, SETTINGS, tmp_path, "m")
    assert sorted(player.asked) == ["S|Tone of a{task}?", "S|Tone of bb?", "S|a{task} How? Reply.", "S|bb How? Reply."]
    assert said[1] == [
        ("open@3", "Sure.", None),
        ("open@3", "The author uses words like bb.", "words like bb"),
        ("tone@3", "Sure.", None),
        ("tone@3", "The author uses dashes.", "dashes"),
    ]
    assert said[0] == said[2]


@pytest.mark.parametrize("queue", [False, True])
def test_llm_goes_on_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queue: bool) -> None:
    monkeypatch.setattr(llm, "PIECE", 3)
    answers = [f"{i:02d}" * (1 + i % 3) for i in range(10)]
    whole = describe_answers(answers, PROMPTS, Player(one_queue=queue), encode, SETTINGS, tmp_path / "whole", "m")
    cache = tmp_path / "cache"
    with pytest.raises(KeyboardInterrupt):
        describe_answers(answers, PROMPTS, Player(8, queue), encode, SETTINGS, cache, "m")
    rest = Player(one_queue=queue)
    assert describe_answers(answers, PROMPTS, rest, encode, SETTINGS, cache, "m") == whole
    assert len(rest.asked) == 20 - 6, "two pieces of three were done, the one under way is lost"
    # nothing is asked twice; a broken piece, more answers and another model are
    done = Player(one_queue=queue)
    assert describe_answers(answers, PROMPTS, done, encode, SETTINGS, cache, "m") == whole and not done.asked
    broken = sorted(cache.glob("*.parquet"))[0]
    broken.write_bytes(broken.read_bytes()[:100])
    assert describe_answers(answers, PROMPTS, done, encode, SETTINGS, cache, "m") == whole
    assert len(done.asked) in (2, 3)
    more = Player(one_queue=queue)
    describe_answers([*answers, "new"], PROMPTS, more, encode, SETTINGS, cache, "m")
    assert len(more.asked) == 2
    other = Player(one_queue=queue)
    describe_answers(answers, PROMPTS, other, encode, SETTINGS, cache, "other model")
    assert len(other.asked) == 20


def test_long_answers_are_cut_to_limit_and_context(tmp_path: Path) -> None:
    player = Player()
    describe_answers(["word " * 40], PROMPTS, player, encode, SETTINGS, tmp_path, "m", context=40)
    assert all(len(prompt) + 8 <= 40 and "word" in prompt for prompt in player.asked)
    assert cut_text("aaaa bbbb cccc", 10) == "aaaa bbbb" and cut_text("a" * 20, 10) == "a" * 10
    with pytest.raises(InputError, match=r"prompt 'open' has 13 tokens without an answer.* model's 20"):
        describe_answers(["word"], PROMPTS, player, encode, SETTINGS, tmp_path, "m", context=20)


def test_prompt_files(tmp_path: Path) -> None:
    prompts = read_description_prompts(ROOT / "workflow" / "prompts" / "describe.yaml")
    assert {p.kind for p in prompts.prompts} == {"open", "targeted"} and len(prompts.prompts) >= 4
    turn = prompts.user_turn(prompts.prompts[0], "braces {task} {answer} stay")
    assert "braces {task} {answer} stay" in turn and '"The author uses X."' in turn
    taught = read_description_prompts(ROOT / "workflow" / "prompts" / "conditions.yaml")
    assert [p.id for p in taught.prompts] == ["taught"]
    file = tmp_path / "p.yaml"
    for text, message in (
        ("version: 1\nprompts: [{id: a, kind: open, text: x}]", r"prompt 'a' must contain \{answer\} exactly once"),
        ("version: 1\nprompts: [{id: a, kind: odd, text: '{answer}'}]", r"key 'prompts.0.kind'"),
        ("version: 1\nprompts: [" + "{id: a, kind: open, text: '{answer}'}, " * 2 + "]", "two prompts have the id 'a'"),
        ("prompts: [", "not YAML"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=f"p.yaml: .*{message}"):
            read_description_prompts(file)
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read .* description\.prompt_file"):
        read_description_prompts(tmp_path / "none.yaml")


class Programs:
    """Runs a program as the shell would, but in this process, which has imported torch already."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, name: str, settings: dict[str, Any], *flags: object) -> tuple[int, str]:
        """Exit status and what was printed."""
        file = SCRIPTS / f"{name}.py"
        self.monkeypatch.setattr(sys, "argv", [str(file), *map(str, flags), "--settings", json.dumps(settings)])
        handlers, level = logging.root.handlers[:], logging.root.level
        try:
            runpy.run_path(str(file), run_name="__main__")
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        finally:
            logging.root.handlers[:] = handlers
            logging.root.setLevel(level)
        return status, self.capsys.readouterr().err


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Programs:
    return Programs(monkeypatch, capsys)


def test_programs_end_to_end(tmp_path: Path, program: Programs) -> None:
    rows = [(f"{p}{g}{i}", g, p) for g in "xy" for p, n in (("train", 30), ("val", 6), ("test", 6)) for i in range(n)]
    frame = samples(rows, "I think that {} is long; isn't it? We went there.")
    lively = (
        pl.when(pl.col("group") == "x").then(pl.lit(" Wow! Great! " * 3)).otherwise(pl.lit(" However (see 5), no."))
    )
    frame = frame.with_columns(answer=pl.col("answer") + lively)
    write_table(frame, tmp_path / "single.parquet", SAMPLES)
    settings = {"describer": "stylometry", "n_answers": 40, "n_heldout": 6}
    flags: tuple[object, ...] = (
        "--samples",
        tmp_path / "single.parquet",
        "--splits",
        "single",
        "--cache",
        tmp_path / "cache",
    )
    flags = (*flags, "--backend", '{"backend": "transformers"}')
    flags = (*flags, "--dtype", "float32", "--sentences", tmp_path / "sentences.parquet")
    status, output = program("describe_style", settings, *flags)
    assert status == 0, output
    sentences = read_table(tmp_path / "sentences.parquet", SENTENCES)
    counts = sentences.unique("answer_id").group_by("part", "group").len().sort("part", "group").rows()
    assert counts == [(p, g, n) for p, n in (("test", 3), ("train", 20), ("val", 3)) for g in "xy"]
    # thresholds come from the described train answers, nothing else
    described = frame.join(sentences.select("answer_id").unique(), on="answer_id", how="semi").sort("answer_id")
    train = described.filter(pl.col("part") == "train")["answer"].to_list()
    names = describe(described["answer"].to_list(), fit_thresholds(train, 0.7))
    said = dict(sentences.group_by("answer_id", maintain_order=True).agg("attribute").iter_rows())
    expected: list[list[str | None]] = [[*n] or [None] for n in names]
    assert said == dict(zip(described["answer_id"], expected, strict=True))

    outputs = ("--catalogue", tmp_path / "catalogue.parquet", "--funnel", tmp_path / "funnel.parquet")
    status, output = program("build_catalogue", {}, "--sentences", tmp_path / "sentences.parquet", *outputs)
    assert status == 0, output
    assert "exclamation marks" in read_table(tmp_path / "catalogue.parquet", CATALOGUE)["attribute"]

    whole = (tmp_path / "sentences.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    status, output = program("build_catalogue", {}, "--sentences", tmp_path / "cut.parquet", *outputs)
    last = output.splitlines()[-1]
    assert status == 1 and last.startswith("error: ") and "cut.parquet: not a whole parquet file" in last
    status, output = program("describe_style", settings | {"describer": "llm"}, *flags)
    assert status == 1 and output.splitlines()[-1].startswith("error: description.describer is llm")


def test_program_with_a_tiny_model(tmp_path: Path, program: Programs) -> None:
    write_table(samples(make("a", "x", "train", 3) + make("b", "y", "val", 2)), tmp_path / "s.parquet", SAMPLES)
    tokenizer = train_tokenizer(["The author uses dashes . Text of a ? Tone"], ScratchTokenizer())
    with torch.random.fork_rng():
        torch.manual_seed(0)
        size: dict[str, Any] = {
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
        }
        config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **size)
        LlamaForCausalLM(config).save_pretrained(tmp_path / "lm")
    tokenizer.save_pretrained(tmp_path / "lm")
    (tmp_path / "p.yaml").write_text("version: 1\nprompts: [{id: tone, kind: targeted, text: 'Tone of {answer} ?'}]")
    flags = ["--samples", tmp_path / "s.parquet", "--splits", "single", "--cache", tmp_path / "cache"]
    flags += ["--model", tmp_path / "lm", "--prompts", tmp_path / "p.yaml", "--dtype", "float32"]
    flags += ["--backend", '{"backend": "transformers"}']
    for name in ("one", "two"):
        status, output = program(
            "describe_style", {"max_new_tokens": 6}, *flags, "--sentences", tmp_path / f"{name}.parquet"
        )
        assert status == 0, output
    assert len(list((tmp_path / "cache").glob("*.parquet"))) == 1
    table = read_table(tmp_path / "one.parquet", SENTENCES)
    assert set(table["answer_id"]) == {"a0", "a1", "a2", "b0", "b1"}
    assert set(table["prompt_id"]) <= {"tone@1", "llm"}
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
