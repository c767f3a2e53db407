"""Control vectors: equal after the round trip, in the fields that llama.cpp reads, added by repeng as by our hook."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import gguf
import numpy as np
import pytest

from conftest import ROOT, TESTS, skip_here
from sociolect.common.errors import InputError
from sociolect.export.control_vectors import read_control_vector, write_control_vector

PEERS = ROOT / ".venv-peers/bin/python"


def drawn(*blocks: int) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(3)
    return {block: 3 * rng.standard_normal(32).astype(np.float32) for block in blocks}


def test_a_vector_comes_back_bit_by_bit(tmp_path: Path) -> None:
    for blocks in ((0,), (1, 3), (11, 2, 10)):
        write_control_vector(tmp_path / "v.gguf", drawn(*blocks), "llama")
        found, hint = read_control_vector(tmp_path / "v.gguf")
        assert hint == "llama" and list(found) == sorted(blocks)
        for block, value in drawn(*blocks).items():
            assert found[block].dtype == np.float32 and np.array_equal(found[block], value)


def test_the_file_is_what_llama_cpp_reads(tmp_path: Path) -> None:
    write_control_vector(tmp_path / "v.gguf", drawn(1, 2), "qwen2")
    reader = gguf.GGUFReader(tmp_path / "v.gguf")
    fields = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    assert fields == {
        "general.architecture": "controlvector",
        "controlvector.model_hint": "qwen2",
        "controlvector.layer_count": 2,
    }
    assert [tensor.name for tensor in reader.tensors] == ["direction.1", "direction.2"]
    for tensor in reader.tensors:
        assert tensor.tensor_type == gguf.GGMLQuantizationType.F32 and list(tensor.shape) == [32]


def test_another_gguf_file_is_refused(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_tensor("direction.1", np.zeros(4, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(InputError, match="not a whole control vector"):
        read_control_vector(tmp_path / "model.gguf")


# an environment of its own, with another torch; CI has what the file says, above
@pytest.mark.long
@pytest.mark.parametrize("blocks", [(0,), (2,), (1, 3)])
def test_repeng_adds_the_same(tmp_path: Path, blocks: tuple[int, ...]) -> None:
    if not PEERS.is_file():
        skip_here("there is no .venv-peers: make setup-peers")
    write_control_vector(tmp_path / "v.gguf", drawn(*blocks), "llama")
    paths = os.pathsep.join(str(ROOT / name) for name in ("workflow/scripts", "benchmarks"))
    done = subprocess.run(
        [PEERS, TESTS / "unit/export/added_by_repeng.py", tmp_path / "v.gguf"],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 2
    for one in found:
        assert one["off"] == 0
        assert min(one["moved"], one["beside"]) > 0.1
