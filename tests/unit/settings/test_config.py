"""Configs: defaults, descriptions, and errors that name the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT
from sociolect.common.errors import InputError
from sociolect.settings.config import Config, load_config, read_config, section
from sociolect.settings.models import KNOWN_MODELS, ModelsSettings, is_small, name_of


@pytest.mark.parametrize("name", ["demo", "quick", "scratch", "laptop", "one-gpu", "config"])
def test_configs_are_valid(name: str) -> None:
    assert read_config(ROOT / f"config/{name}.yaml").run


def test_the_minima_are_the_defaults_of_the_real_config() -> None:
    config: Any = read_config(ROOT / "config/config.yaml")
    assert config.sampling.minimum.model_dump() == {"single": 3500, "multi": 6000, "askx": 130}
    assert config.description.n_answers == 5000 and config.description.describer == "llm"
    assert config.models.sfam.repo == "microsoft/deberta-v3-base"
    values = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    values["models"]["sfam"] = "deberta-v3-large"
    assert load_config(values, "x").models.sfam.repo == "microsoft/deberta-v3-large"  # type: ignore[union-attr]


def test_every_field_has_a_description() -> None:
    def walk(model: Any) -> list[str]:
        missing = []
        for name, field in model.model_fields.items():
            if not field.description:
                missing.append(f"{model.__name__}.{name}")
            if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
                missing += walk(field.annotation)
        return missing

    assert walk(Config) == []


def test_errors_name_key_and_known_keys() -> None:
    with pytest.raises(InputError, match=r"here: key 'sfam.lr'.*known keys here: .*learning_rate"):
        load_config({"run": "x", "experiments": {"m": {"fit": ["single"], "ask": "single"}}, "sfam": {"lr": 1}}, "here")


BASE: dict[str, Any] = {"run": "x", "experiments": {"m": {"fit": ["single"], "ask": "single"}}}


def test_a_model_is_a_short_name_or_one_of_the_kinds_of_sources() -> None:
    for name, model in KNOWN_MODELS.items():
        config = load_config({**BASE, "models": {"lm": name}}, "here")
        assert config.models.lm == model
        # what a program gets is what the config said
        assert ModelsSettings.model_validate(section(config, "models")).lm == model
    for value in ({"folder": "models/mine"}, {"gguf": "mine.gguf"}, {"gguf": "mine.gguf", "sha256": "0" * 64}):
        lm: Any = load_config({**BASE, "models": {"lm": value}}, "here").models.lm
        assert lm.model_dump(exclude_unset=True) == value and name_of(lm).startswith("mine")
    assert [name for name, model in KNOWN_MODELS.items() if is_small(model)] == ["gemma-3-270m"]


@pytest.mark.parametrize("value", ["gemma-3-270m", {"gguf": "mine.gguf"}])
def test_a_gguf_file_is_no_base_of_sfam(value: object) -> None:
    with pytest.raises(
        InputError, match=r"key 'models.sfam': .*: choose scratch, .* a GGUF file holds a language model"
    ):
        load_config({**BASE, "models": {"sfam": value}}, "here")
    assert ModelsSettings.model_validate({"sfam": {"folder": "models/mine"}}).sfam != "scratch"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("qwen", r"key 'models.lm': .*: choose scratch, deberta-v3-base, .*gemma-3-270m, {repo, revision}, {folder}"),
        ({"path": "x"}, r"key 'models.lm': .*: choose scratch"),
        ({"repo": "a/b", "revision": "main"}, r"key 'models.lm.revision': 'main': write a commit, 40 hex digits"),
        ({"gguf": "a.gguf", "sha": 1}, r"key 'models.lm.sha': there is no such key; write 'sha256'"),
        ({"folder": "a", "revision": "b"}, r"key 'models.lm.revision': .*; known keys here: folder$"),
        (
            {"wheels": [{"name": "a", "version": "1", "hash": "b"}], "file": "a.gguf", "sha256": "0" * 64},
            r"key 'models.lm.wheels.0.hash': .*; known keys here: name, sha256, version",
        ),
    ],
)
def test_what_is_wrong_with_a_model_names_its_key(value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_config({**BASE, "models": {"lm": value}}, "here")


@pytest.mark.parametrize("method", ["adaptive", "rotated"])
@pytest.mark.parametrize("stage", ["sweep", "generation"])
def test_methods_of_the_hidden_state_are_refused_where_vllm_would_have_to_apply_them(method: str, stage: str) -> None:
    methods = {"steering": {"methods": ["all", method]}}
    message = rf"key 'steering\.methods': {method} is .* set {stage}\.backend: transformers"
    with pytest.raises(InputError, match=message):
        load_config({**BASE, **methods, stage: {"backend": "vllm"}}, "here")
    assert load_config({**BASE, **methods}, "here").steering.methods == ("all", method)
    # the default has none of them
    assert load_config({**BASE, stage: {"backend": "vllm"}}, "here").steering.methods


def test_a_server_that_describes_is_named_where_one_is_asked_for() -> None:
    described = {"backend": "server", "server": {"address": "http://localhost:8000/v1/", "model": "m"}}
    config = load_config({**BASE, "description": described}, "here")
    assert config.backends["description"] == "server" and config.description.server is not None
    assert config.description.server.address == "http://localhost:8000/v1"
    with pytest.raises(
        InputError, match=r"key 'description.server': description.backend is server; say which: {address"
    ):
        load_config({**BASE, "description": {"backend": "server"}}, "here")
    # who measures asks nobody
    measured = load_config({**BASE, "description": {"describer": "stylometry", "backend": "server"}}, "here")
    assert measured.backends["description"] == "transformers"
    with pytest.raises(InputError, match=r"key 'description.server.extra': stream is what the describer itself says"):
        load_config({**BASE, "description": {"server": {**described["server"], "extra": {"stream": True}}}}, "here")  # type: ignore[dict-item]


def test_positions_are_one_or_several() -> None:
    for value, positions in (("all", ("all",)), (["last", "generated"], ("last", "generated"))):
        config = load_config({**BASE, "sweep": {"positions": value}}, "here")
        assert config.sweep.positions == positions
        # what a program gets is what the config said
        assert type(config.sweep).model_validate(section(config, "sweep")).positions == positions
    for wrong in ("prompt", [], ["last", "prompt"]):
        with pytest.raises(InputError, match=r"key 'sweep\.positions"):
            load_config({**BASE, "sweep": {"positions": wrong}}, "here")


def test_a_method_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match=r"key 'steering\.methods.*'mean_difference'"):
        load_config({**BASE, "steering": {"methods": ["means"]}}, "here")


def test_a_split_is_named_once_and_has_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"key 'experiments\.m\.fit': single is there twice; name each split once"):
        load_config({"run": "x", "experiments": {"m": {"fit": ["single", "single"], "ask": "single"}}}, "here")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.csv").symlink_to("s.csv")
    for other in ("s.csv", "./s.csv", "data/../s.csv", str(tmp_path / "s.csv"), "link.csv"):
        with pytest.raises(InputError, match=r"key 'corpus\.paths': single and multi are the same file, s\.csv"):
            load_config({**BASE, "corpus": {"paths": {"single": "s.csv", "multi": other}}}, "here")
    assert load_config({**BASE, "corpus": {"paths": {"single": "s.csv", "multi": "data/s.csv"}}}, "here")


@pytest.mark.parametrize(
    ("sampling", "message"),
    [
        # 11.9, 2.55 and 2.55 of 17 are 12, 2 and 3
        (
            {"per_group": {"single": 17}},
            "per_group.single': of 17 answers the smallest part gets 2, .* write 20 or more",
        ),
        ({"per_group": {"single": 18}}, ""),
        ({"per_group": {"single": 10}, "parts": {"train": 0.98, "val": 0.01, "test": 0.01}}, "gets 1, .* write 300 or"),
        ({"per_group": {"single": 100}, "min_part": 30}, "gets 15, and sampling.min_part is 30 answers; write 200 or"),
        ({"per_group": {"single": 200}, "min_part": 30}, ""),
        # what is drawn where nothing else is said
        (
            {"minimum": {"single": 2}},
            r"'sampling\.minimum\.single': of 2 answers the smallest part gets 0, .* write 20",
        ),
        # a question of askx has up to three answers
        ({"per_group": {"askx": 3}}, ""),
        (
            {"per_group": {"askx": 3}, "answers_per_question": 2},
            "askx': of 3 questions the smallest part gets 1, .* 14 or",
        ),
    ],
)
def test_a_draw_that_leaves_a_part_below_its_floor_is_refused(sampling: dict[str, Any], message: str) -> None:
    values = {**BASE, "sampling": sampling}
    if message:
        with pytest.raises(InputError, match=message):
            load_config(values, "here")
    else:
        assert load_config(values, "here")
