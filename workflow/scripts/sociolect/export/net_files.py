"""The embedding net as plain files: a state dict, what belongs to it, and a loader that needs no Sociolect."""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import save_file

from sociolect.common.artifacts import read_table
from sociolect.common.files import atomic_path, write_json
from sociolect.common.schemas import CATALOGUE, GROUPS
from sociolect.embedding.net import load_net

__all__ = ["write_net"]


def write_net(run: Path, experiment: str, loader: Path, folder: Path) -> None:
    """`net.safetensors`, `config.json` with the order of the attributes and the groups' embeddings, and the loader.

    Args:
        run: results/<run>.
        experiment: its name.
        loader: load_embedding.py.
        folder: where the files go.

    Raises:
        InputError: a file of the run is missing or damaged.
    """
    net, hyper = load_net(run / f"embedding/{experiment}/model.safetensors")
    groups = read_table(run / f"groups/{experiment}.parquet", GROUPS)
    catalogue = read_table(run / "attributes/catalogue.parquet", CATALOGUE)
    with atomic_path(folder / "net.safetensors") as temporary:
        save_file({name: t.detach().contiguous() for name, t in sorted(net.state_dict().items())}, temporary)
    config = {
        **{name: hyper[name] for name in ("n_attributes", "width", "dimension", "distance", "center")},
        "attributes": catalogue["attribute"].to_list(),
        "groups": dict(zip(groups["group"], groups["embedding"].to_list(), strict=True)),
    }
    write_json(config, folder / "config.json")
    shutil.copyfile(loader, folder / loader.name)
