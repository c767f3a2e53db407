"""The whole export of a run: a folder that appears at once."""

from __future__ import annotations

import shutil
from pathlib import Path

from sociolect.common.errors import InputError
from sociolect.common.files import atomic_folder, write_text
from sociolect.export.cards import dataset_card
from sociolect.export.dataset_tables import dataset_parts, write_parts
from sociolect.export.example_code import steering_code
from sociolect.export.kit import GROUP_VECTORS, MODEL, PROMPTS, RECIPE, Kit
from sociolect.export.model_card import experiment_values, model_card
from sociolect.export.net_files import write_net
from sociolect.export.vector_files import write_attribute_vectors, write_group_vectors
from sociolect.settings.config import Config
from sociolect.settings.models import HubModel

__all__ = ["write_export"]

CARD, QUESTION = "README.md", "Why is the sky blue?"


def write_export(config: Config, run: Path, material: Path, folder: Path, with_texts: bool) -> None:
    """Vectors, embedding nets, tables and cards.

    Args:
        config: of the run.
        run: results/<run>, which has ended.
        material: folder of the cards' templates and of the loader.
        folder: of the export; one that is there already is made anew.
        with_texts: whether the tables have texts of the corpus, and what was generated.

    Raises:
        InputError: the folder holds something else, or a file of the run is missing or damaged.
    """
    if folder.exists() and not any(folder.glob(f"vectors/*/{RECIPE}")) and not _is_empty(folder):
        raise InputError(f"{folder}: holds something else than an export, which would replace it; name another OUT")
    # of a link, what it leads to
    with atomic_folder(folder.resolve()) as new:
        if config.models.lm == "scratch":
            shutil.copytree(run / "models/lm", new / MODEL, ignore=shutil.ignore_patterns(".*"))
        write_attribute_vectors(run, new / "vectors")
        experiments = []
        for name in config.experiments:
            place = new / "vectors" / name
            recipe = write_group_vectors(config, run, name, place)
            write_net(run, name, material / "load_embedding.py", new / "embedding" / name)
            kit = Kit(recipe, run / "models/lm", place / GROUP_VECTORS, place / PROMPTS)
            code = steering_code(
                material / "steer_plainly.py.j2", kit, _model_named(config), f"vectors/{name}/{GROUP_VECTORS}",
                recipe.groups[0], QUESTION,
            )  # fmt: skip
            experiments.append(experiment_values(config, run, recipe, code))
        parts = dataset_parts(config, run, with_texts)
        write_parts(parts, new / "dataset", config.run)
        card = dataset_card(material / "dataset_card.md.j2", parts, config.run, with_texts)
        write_text(card, new / "dataset" / CARD)
        write_text(model_card(material / "model_card.md.j2", config, experiments), new / CARD)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _model_named(config: Config) -> str:
    """The model as a program beside the card names it."""
    model = config.models.lm
    if isinstance(model, HubModel):
        return model.repo
    return MODEL if model == "scratch" else "the folder of the model"
