"""Vectors in the JSON of other tools: requests to vllm-lens, and the files of the toolkit steerability.

Both count blocks from 0 and add to their outputs, as this project does. Formats as documented by
https://github.com/UKGovernmentBEIS/vllm-lens (SteeringVector, README) and
https://github.com/generative-computing/steerability (SteeringVector.save), read in November 2026.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sociolect.common.files import write_text

__all__ = ["write_lens_vector", "write_svec"]


def write_lens_vector(path: Path, directions: Mapping[int, np.ndarray]) -> None:
    """Write one SteeringVector of vllm-lens atomically: the entry of `apply_steering_vectors` in a request.

    Args:
        path: of the file.
        directions: block from 0 -> what is added to its output, [d].
    """
    rows = np.stack([directions[block] for block in sorted(directions)]).astype("<f4")
    data = base64.b64encode(rows.tobytes()).decode("ascii")
    vector = {
        "activations": {"data": data, "dtype": "float32", "original_dtype": "torch.float32", "shape": list(rows.shape)},
        "layer_indices": sorted(directions),
        # added as they are, to every token
        "scale": 1.0,
        "norm_match": False,
        "position_indices": None,
    }
    write_text(json.dumps(vector) + "\n", path)


def write_svec(path: Path, directions: Mapping[int, np.ndarray], model_type: str) -> None:
    """Write one .svec file of steerability atomically.

    Args:
        path: of the file; its name ends in .svec.
        directions: block from 0 -> what is added to its output, [d].
        model_type: of the model's config.
    """
    vector = {
        "model_type": model_type,
        # every float32 comes back from its shortest decimal as a float64
        "directions": {str(block): [directions[block].astype(float).tolist()] for block in sorted(directions)},
        "meta": {"location": "layer_output"},
    }
    write_text(json.dumps(vector) + "\n", path)
