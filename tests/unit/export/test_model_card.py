"""What a card says by rule: limits by what was chosen, the license by where the model is from."""

from __future__ import annotations

from pathlib import Path

import pytest
from spoken_kit import choice_of, kit_in

from sociolect.export.model_card import license_of, limits_of
from sociolect.generation.choice import Choice
from sociolect.settings.config import Config
from sociolect.settings.models import KNOWN_MODELS, LocalModel

CONFIG = Config.model_validate({"run": "r", "experiments": {"main": {"fit": ["single"], "ask": "askx"}}})


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (choice_of(), "llama.cpp can add nothing to the output of block 0"),
        (choice_of(layers=(1, 2), positions="last"), "add to all tokens, the run to the last token of the prompt"),
        (choice_of(alpha=0.0), "No setting inside the guards of fluency and topic gained more than its standard error"),
        (choice_of("adaptive"), "the vectors alone do not give the run's steering"),
    ],
)
def test_a_limit_is_said_where_it_holds_and_nowhere_else(tmp_path: Path, choice: Choice, said: str) -> None:
    plain = kit_in(tmp_path, choice_of(layers=(1, 2))).recipe

    def limits(one: Choice) -> str:
        return " ".join(limits_of(CONFIG, plain.model_copy(update={"choice": one}), []))

    assert said in limits(choice) and said not in limits(plain.choice)


def test_vectors_that_cannot_be_told_apart_are_named_for_the_chosen_method(tmp_path: Path) -> None:
    recipe = kit_in(tmp_path, choice_of()).recipe
    found = limits_of(CONFIG, recipe, ["all: the vectors of a and b have cosine 0.990", "rotated: nothing of it"])
    assert "The vectors of a and b have cosine 0.990." in found
    assert not any("nothing of it" in limit for limit in found)


def test_the_license_is_that_of_where_the_model_is_from() -> None:
    assert "trained from scratch" in license_of("scratch")
    assert "https://huggingface.co/Qwen/Qwen3-8B" in license_of(KNOWN_MODELS["qwen3-8b"])
    assert "GEMMA_TERMS.html" in license_of(KNOWN_MODELS["gemma-3-270m"])
    # the path of a folder is nobody's business
    assert "/home" not in license_of(LocalModel(folder="/home/me/model"))
