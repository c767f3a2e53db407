"""What is wrong with a config: all of it at once, each with its line, the value, and what to write instead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, ValidationError, create_model

from conftest import ROOT
from sociolect.common.errors import InputError
from sociolect.settings.config import Config, check_config, load_config, read_config
from sociolect.settings.faults import faults_of

BASE: dict[str, Any] = {"run": "x", "experiments": {"m": {"fit": ["single"], "ask": "single"}}}
MANY = """run: "two words"
sede: 1
experiments:
  main: {fit: [single, multi], ask: askx}
corpus:
  paths: {single: a.csv, multi: a.csv}
  min_chars: 900
  max_chars: 20
sampling:
  parts: {train: 0.7, val: 0.7, test: 0.15}
description: {describer: stylometri, n_answers: true}
catalogue: {min_share: 0.7, max_share: 0.3}
sweep: {band: [0.9, 0.1], alphas: [0.0], depths: [50, -1]}
steering: {methods: [], n_eff: .nan}
labeling: {shards: 500, buckets: 4, scorer: measured}
"""


def said(**sections: Any) -> list[str]:
    """Messages of a config with these sections, without the place."""
    with pytest.raises(InputError) as caught:
        load_config({**BASE, **sections}, "here")
    return [line.removeprefix("here: ") for line in str(caught.value).split("\n")]


def test_all_faults_of_a_file_are_named_at_once_in_the_order_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(MANY)
    with pytest.raises(InputError) as caught:
        read_config(path)
    assert str(caught.value).replace(f"{path}: line ", "").split("\n") == [
        "1, key 'run': 'two words': write letters, digits, _ and -, a letter first",
        "2, key 'sede': there is no such key; write 'seed'",
        "6, key 'corpus.paths': single and multi are the same file, a.csv; a split has a file of its own",
        # combinations are looked for once what is wrong elsewhere is left out
        "7, key 'corpus.min_chars': 900 is above corpus.max_chars, 20: no answer is left",
        "10, key 'sampling.parts': train, val and test must add up to 1",
        "11, key 'description.describer': 'stylometri': choose 'llm' or 'stylometry'",
        "11, key 'description.n_answers': true and false are no value of this key; write what is meant",
        "12, key 'catalogue.min_share': 0.7 is above catalogue.max_share, 0.3: no attribute is left",
        "13, key 'sweep.alphas': there is no strength above 0; add one, such as 0.06",
        "13, key 'sweep.depths.0': 50: write at most 1",
        "13, key 'sweep.depths.1': -1: write at least 0",
        "13, key 'sweep.band': 0.9 is above 0.1; write the smaller one first",
        "14, key 'steering.n_eff': nan: write a finite number",
        "14, key 'steering.methods': []: name at least 1",
        "15, key 'labeling.scorer': it is measured, but what llm says cannot be measured; set "
        "description.describer: stylometry, or labeling.scorer: cross_encoder or distilled",
        "15, key 'labeling.shards': 500 jobs cannot share 4 buckets; lower it, or raise labeling.buckets",
    ]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"corpus": {"paths": {"single": "a", "multi": "a {b}.csv"}}},
            "key 'corpus.paths.multi': 'a {b}.csv' has a '{', which Snakemake takes for a wildcard; rename the file",
        ),
        ({"models": {"lm": {"folder": "m}"}}}, "key 'models.lm.folder': 'm}' has a '}', which Snakemake"),
        ({"generation": {"shards": 17}}, "key 'generation.shards': 17 jobs cannot share 16 buckets; lower it, or"),
        ({"steering": {"n_eff": 900}}, "key 'steering.n_eff': 900 of at most 768 attributes"),
        ({"scratch": {"lm": {"heads": 3}}}, "key 'scratch.lm.heads': 3 heads do not divide a width of 128"),
        ({"sfam": {"max_tokens": 600}}, "key 'sfam.max_tokens': 600 tokens are more than a scratch SFAM takes, 512"),
        ({"sweep": {"depths": [], "band": None}}, "key 'sweep': depths and band are both empty; name at least one"),
        ({"sweep": {"alphas": [float("inf")]}}, "key 'sweep.alphas.0': inf: write a finite number"),
        ({"seed": 1.5}, "key 'seed': 1.5: write a whole number"),
        ({"seed": "one"}, "key 'seed': 'one': write a whole number"),
        ({"sweep": {"alphas": 0.1}}, "key 'sweep.alphas': 0.1: write a list, such as [a, b]"),
        ({"sweep": 3}, "key 'sweep': 3: write keys below it"),
        ({"prompts": {"date": "today"}}, "key 'prompts.date': 'today': write a date, such as 2025-01-01"),
        ({"prompts": {"date": 20250101}}, "key 'prompts.date': 20250101: write a date, such as 2025-01-01"),
        ({"sweep": None}, "key 'sweep': null: write keys below it"),
        ({"adapters": {"enabled": "perhaps"}}, "key 'adapters.enabled': 'perhaps': write true or false"),
        ({"generation": {"prompt_file": 3}}, "key 'generation.prompt_file': 3: write text"),
        (
            {"experiments": {"m": {"fit": ["multi"], "ask": "single"}}, "corpus": {"paths": {"single": "a"}}},
            "split 'multi'",
        ),
    ],
)
def test_one_fault_is_one_line_in_plain_words(sections: dict[str, Any], message: str) -> None:
    (line,) = said(**sections)
    assert message in line and "Input should" not in line


@pytest.mark.parametrize(
    "first",
    [
        {"scratch": {"lm": {"heads": 0}}},
        {"sweep": None},
        {"sweep": {"alphas": [True]}},
        {"models": {"lm": {"folder": 3}}},
        {"models": {"lm": {"folder": "a", "revision": "b"}}},
        {"models": {"lm": "qwen"}},
        {"group_parents": {"a": 1}},
        {"sampling": {"minimum": {"single": 0}}},
        {"sede": 1},
    ],
)
def test_what_is_wrong_elsewhere_hides_no_combination(first: dict[str, Any]) -> None:
    lines = said(**first, generation={"shards": 17})
    assert len(lines) == 2 and "17 jobs cannot share 16 buckets" in lines[1]


def test_a_key_of_several_files_has_the_line_of_the_last_one(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("run: x\nsweep:\n  halvings: 1\n")
    second.write_text("# more\nsweep: {halvings: -1}\n")
    with pytest.raises(InputError) as caught:
        load_config({**BASE, "sweep": {"halvings": -1}}, "here", [first, second])
    assert str(caught.value) == f"{second}: line 2, key 'sweep.halvings': -1: write at least 0"


def test_every_pattern_is_said_in_words() -> None:
    library = ROOT / "workflow/scripts/sociolect"
    sources = "".join(path.read_text(encoding="utf-8") for path in library.rglob("*.py"))
    patterns = set(re.findall(r'Field\([^()]*?pattern=r"([^"]+)"', sources))
    assert len(patterns) > 5
    for pattern in patterns:
        model = create_model("M", key=(str, Field(pattern=pattern)))
        with pytest.raises(ValidationError) as caught:
            model.model_validate({"key": "\n"})
        (fault,) = faults_of(caught.value.errors()[0], model)
        assert ": write " in fault.why and "pattern" not in fault.why


def test_what_is_required_is_said_once() -> None:
    config, faults = check_config({"sweep": {"halvings": -1}})
    assert config is None
    assert [(".".join(fault.names), fault.why) for fault in faults] == [
        ("run", "required; add it"),
        ("experiments", "required; add it"),
        ("sweep.halvings", "-1: write at least 0"),
    ]
    assert isinstance(check_config(BASE)[0], Config)
