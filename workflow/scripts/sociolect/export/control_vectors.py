"""Control vectors in GGUF files, as llama.cpp and repeng read them.

Tensor `direction.<k>` is added to the output of block k counted from 0, by both. Layers begin with 1 there, because
llama.cpp can add nothing to the output of block 0: it refuses a file with `direction.0`, which repeng takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np

from sociolect.common.errors import InputError
from sociolect.common.files import atomic_path

__all__ = ["read_control_vector", "write_control_vector"]

ARCHITECTURE = "controlvector"


def write_control_vector(path: Path, directions: Mapping[int, np.ndarray], model_type: str) -> None:
    """Write one control vector atomically.

    Args:
        path: of the file.
        directions: block from 0 -> what is added to its output, [d].
        model_type: of the model's config, the file's hint.
    """
    with atomic_path(path) as temporary:
        writer = gguf.GGUFWriter(temporary, ARCHITECTURE)
        writer.add_string(f"{ARCHITECTURE}.model_hint", model_type)
        writer.add_uint32(f"{ARCHITECTURE}.layer_count", len(directions))
        for block, direction in sorted(directions.items()):
            writer.add_tensor(f"direction.{block}", np.ascontiguousarray(direction, dtype=np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def read_control_vector(path: Path) -> tuple[dict[int, np.ndarray], str]:
    """Block -> what is added to its output, float32 [d], and the type of the model.

    Raises:
        InputError: the file is not a control vector.
    """
    reader = gguf.GGUFReader(path)
    found = {name: reader.get_field(f"{prefix}.{name}") for prefix, name in _FIELDS}
    known = {name: None if field is None else field.contents() for name, field in found.items()}
    if known["architecture"] != ARCHITECTURE or known["layer_count"] != len(reader.tensors):
        raise InputError(f"{path}: not a whole control vector; export it again")
    directions = {int(tensor.name.removeprefix("direction.")): np.array(tensor.data) for tensor in reader.tensors}
    return directions, str(known["model_hint"])


_FIELDS = (("general", "architecture"), (ARCHITECTURE, "model_hint"), (ARCHITECTURE, "layer_count"))
