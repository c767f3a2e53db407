"""Vectors for vllm-lens and steerability: read by their documented rules, they are equal bit by bit."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from sociolect.export.json_vectors import write_lens_vector, write_svec

# what a decimal of few digits would lose, and the ends of float32
ODD = np.array([0.1, -1 / 3, 1e-45, 3.4028235e38, -0.0, 2**-126], dtype=np.float32)


def drawn(*blocks: int) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(3)
    return {block: np.concatenate([ODD, rng.standard_normal(26).astype(np.float32)]) for block in blocks}


@pytest.mark.parametrize("blocks", [(0,), (11, 2, 10)])
def test_a_request_to_vllm_lens(tmp_path: Path, blocks: tuple[int, ...]) -> None:
    write_lens_vector(tmp_path / "v.vllm-lens.json", drawn(*blocks))
    found = json.loads((tmp_path / "v.vllm-lens.json").read_text())
    # the fields of its SteeringVector, and of an uncompressed tensor
    assert sorted(found) == ["activations", "layer_indices", "norm_match", "position_indices", "scale"]
    assert found["scale"] == 1 and found["norm_match"] is False and found["position_indices"] is None
    assert found["layer_indices"] == sorted(blocks)
    tensor = found["activations"]
    assert sorted(tensor) == ["data", "dtype", "original_dtype", "shape"]
    raw = np.frombuffer(base64.b64decode(tensor["data"]), dtype=np.dtype(tensor["dtype"])).reshape(tensor["shape"])
    assert tensor["original_dtype"] == "torch.float32" and raw.shape == (len(blocks), 32)
    for block, row in zip(found["layer_indices"], raw, strict=True):
        assert row.tobytes() == drawn(*blocks)[block].tobytes()


@pytest.mark.parametrize("blocks", [(0,), (11, 2, 10)])
def test_a_file_of_steerability(tmp_path: Path, blocks: tuple[int, ...]) -> None:
    write_svec(tmp_path / "v.svec", drawn(*blocks), "llama")
    found = json.loads((tmp_path / "v.svec").read_text())
    assert found["model_type"] == "llama" and found["meta"] == {"location": "layer_output"}
    assert list(found["directions"]) == [str(block) for block in sorted(blocks)]
    for block, rows in found["directions"].items():
        value = np.array(rows, dtype=np.float32)
        assert value.shape == (1, 32) and value[0].tobytes() == drawn(*blocks)[int(block)].tobytes()
