"""How an experiment's vectors are used: with which model, asked how, added where. `steering.json` of an export."""

from __future__ import annotations

import json
from datetime import date as date_type
from pathlib import Path

from pydantic import ValidationError

from sociolect.common.errors import InputError
from sociolect.generation.choice import Choice
from sociolect.models.loading import SNAPSHOT, sha256_of
from sociolect.settings.base import Stage
from sociolect.settings.config import Config
from sociolect.settings.models import name_of

__all__ = ["Recipe", "check_weights", "read_recipe", "recipe_of", "weights_of"]


class Recipe(Stage):
    """What there is to know beside the vectors.

    Attributes:
        model: in words; weights: its files with their SHA-256.
        style, date, max_question_chars, max_new_tokens: how it was asked.
        choice: method, blocks, strength, positions and mode.
        groups: that have a vector.
    """

    run: str
    experiment: str
    model: str
    weights: dict[str, str]
    style: str
    date: date_type
    max_question_chars: int
    max_new_tokens: int
    choice: Choice
    groups: tuple[str, ...]


def recipe_of(
    config: Config,
    experiment: str,
    model: Path,
    style: str,
    choice: Choice,
    groups: tuple[str, ...],
) -> Recipe:
    """The recipe of a run's experiment.

    Args:
        config: of the run.
        experiment: its name.
        model: folder of the language model.
        style: chat or document, as its tokenizer decided.
        choice: what was chosen on val.
        groups: that have a vector.
    """
    return Recipe(
        run=config.run,
        experiment=experiment,
        model=name_of(config.models.lm),
        weights=weights_of(model),
        style=style,
        date=config.prompts.date,
        max_question_chars=config.generation.max_question_chars,
        max_new_tokens=config.generation.max_new_tokens,
        choice=choice,
        groups=groups,
    )


def read_recipe(path: Path) -> Recipe:
    """Read steering.json.

    Raises:
        InputError: no such file, or it is not one.
    """
    try:
        return Recipe.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise InputError(f"{path}: not the recipe of an export ({error}); make the export again") from error


def weights_of(folder: Path) -> dict[str, str]:
    """File -> SHA-256 of a model's weights: those that its snapshot remembers, else of the files."""
    files = sorted(path.name for path in folder.glob("*.safetensors"))
    if (folder / SNAPSHOT).is_file():
        known = json.loads((folder / SNAPSHOT).read_text(encoding="utf-8"))["files"]
        return {name: known[name]["sha256"] for name in files if name in known}
    return {name: sha256_of(folder / name) for name in files}


def check_weights(recipe: Recipe, folder: Path) -> None:
    """Refuse another model than the vectors were made for: its answers would look steered and mean nothing.

    Raises:
        InputError: there is no such model, or a file of its weights is another.
    """
    for name, known in recipe.weights.items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"{path}: no such file; the vectors belong to {recipe.model}: give its folder as MODEL")
        if sha256_of(path) != known:
            raise InputError(f"{path}: other weights than the vectors were made for; give the folder of {recipe.model}")
