"""Run by .venv-peers: logits of tiny models with a control vector read and added by repeng, beside this project's hook.

Prints a line of JSON for each model: the largest difference of both, how far steering moves, and how far off the same
vectors are one block on.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from peers import logits_of, tiny_models
from sociolect.export.control_vectors import read_control_vector
from sociolect.lm.hooks import add_to_blocks

# repeng 0.4 names it when it is imported; NumPy 2 has it no more
numpy: Any = np
numpy.float_ = np.float64
from repeng import ControlModel, ControlVector  # noqa: E402


@torch.inference_mode()
def main(path: Path) -> None:
    vector = ControlVector.import_gguf(path)
    own, hint = read_control_vector(path)
    assert vector.model_type == hint
    assert all(np.array_equal(vector.directions[block], own[block]) for block in own)
    assert vector.directions.keys() == own.keys()
    ids = torch.randint(64, (2, 9), generator=torch.Generator().manual_seed(1))
    for name, model in tiny_models().items():
        if name == "GPT-NeoX":
            # which repeng does not know
            continue
        plain = logits_of(model, ids)
        with add_to_blocks(model, {block: torch.from_numpy(value) for block, value in own.items()}):
            ours = logits_of(model, ids)
        with add_to_blocks(model, {(block + 1) % 4: torch.from_numpy(value) for block, value in own.items()}):
            beside = logits_of(model, ids)
        control = ControlModel(model, list(vector.directions))
        control.set_control(vector)
        theirs = logits_of(control, ids)
        print(json.dumps({"off": most(ours, theirs), "moved": most(ours, plain), "beside": most(ours, beside)}))


def most(some: torch.Tensor, others: torch.Tensor) -> float:
    """Largest absolute difference."""
    return float((some - others).abs().max())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
