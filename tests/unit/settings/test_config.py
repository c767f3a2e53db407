"""Configs: defaults, descriptions, and errors that name the key."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from conftest import ROOT
from sociolect.common.errors import InputError
from sociolect.settings.config import Config, load_config, read_config


@pytest.mark.parametrize("name", ["demo", "scratch", "one-gpu", "config"])
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
