"""The vectors of a run as files: as added, as unit directions, as control vectors, and those of the attributes."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import quote

import torch

from sociolect.common.artifacts import matrix, read_table
from sociolect.common.files import write_json, write_text
from sociolect.common.schemas import ACTIVATIONS, CATALOGUE, STEERING
from sociolect.export.as_added import unit_vectors
from sociolect.export.control_vectors import write_control_vector
from sociolect.export.json_vectors import write_lens_vector, write_svec
from sociolect.export.kit import GROUP_VECTORS, PROMPTS, RECIPE, kit_of_run
from sociolect.export.recipe import Recipe
from sociolect.lm.requests import read_vectors, write_vectors
from sociolect.models.loading import load_config
from sociolect.settings.config import Config

__all__ = ["write_attribute_vectors", "write_group_vectors"]

# of the files of vllm-lens, which has no ending of its own
LENS = ".vllm-lens.json"


def write_group_vectors(config: Config, run: Path, experiment: str, folder: Path) -> Recipe:
    """Vectors, directions, recipe and prompt file of an experiment; those of other tools where vectors are just added.

    Args:
        config: of the run.
        run: results/<run>.
        experiment: its name.
        folder: where the files go.

    Raises:
        InputError: a file of the run is missing or damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kit = kit_of_run(config, run, experiment, folder)
    shutil.copyfile(kit.prompts, folder / PROMPTS)
    write_text(kit.recipe.model_dump_json(indent=2) + "\n", folder / RECIPE)
    steering, choice = read_table(run / f"steering/{experiment}.parquet", STEERING), kit.recipe.choice
    write_vectors(unit_vectors(steering, choice.method), folder / "directions.safetensors")
    if choice.mode == "add":
        kind = str(load_config(kit.model).model_type)
        for group, vectors in read_vectors(folder / GROUP_VECTORS, kit.recipe.groups).items():
            # a group may be called r/AskX
            stem = quote(group, safe=" ")
            directions = {layer: vectors[layer].numpy() for layer in choice.layers}
            write_control_vector(folder / f"{stem}.gguf", directions, kind)
            write_lens_vector(folder / f"{stem}{LENS}", directions)
            write_svec(folder / f"{stem}.svec", directions, kind)
    return kit.recipe


def write_attribute_vectors(run: Path, folder: Path) -> None:
    """`attributes.safetensors`, id -> [layers, d] after the contrast, and `attributes.json`, id -> X of "You use X.".

    Raises:
        InputError: a file of the run is missing or damaged.
    """
    frame = read_table(run / "steering/attributes.parquet", ACTIVATIONS).sort("attribute_id", "layer")
    parts = frame.partition_by("attribute_id", maintain_order=True)
    found = {part["attribute_id"][0]: torch.from_numpy(matrix(part["vector"])).float() for part in parts}
    write_vectors(found, folder / "attributes.safetensors")
    names = read_table(run / "attributes/catalogue.parquet", CATALOGUE).select("attribute_id", "attribute")
    write_json(dict(names.iter_rows()), folder / "attributes.json")
