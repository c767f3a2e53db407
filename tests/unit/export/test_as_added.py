"""Vectors as they are added: a known answer, and bit by bit what the run adds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from spoken_kit import LAYERS, as_in_the_run, choice_of, steering_frame

from sociolect.common.artifacts import vectors
from sociolect.common.errors import InputError
from sociolect.export.as_added import added_vectors, steering_with, unit_vectors
from sociolect.lm.requests import SteerRef, floor_key, read_vectors, write_vectors
from sociolect.lm.row_steering import RowSteering


def test_alpha_times_norm_over_the_number_of_blocks_and_zeros_elsewhere() -> None:
    frame = pl.DataFrame(
        {
            "group": ["g"] * 3,
            "method": ["all"] * 3,
            "layer": pl.Series([0, 1, 2], dtype=pl.Int32),
            "vector": vectors(np.asarray([[1.0, 0], [0, 1], [0.6, 0.8]]), "vector"),
            "floor": [0.0] * 3,
        }
    )
    choice = choice_of(layers=(1, 2), alpha=0.5).model_copy(update={"residual_norms": (2.0, 4.0, 10.0)})
    assert torch.equal(added_vectors(frame, choice)["g"], torch.tensor([[0, 0], [0, 1.0], [1.5, 2.0]]))
    assert torch.equal(unit_vectors(frame, "all")["g"], torch.tensor([[1.0, 0], [0, 1], [0.6, 0.8]]))


@pytest.mark.parametrize("mode", ["add", "rotate"])
def test_a_backend_adds_the_same_bits_as_in_the_run(tmp_path: Path, mode: str) -> None:
    for layers in ((0,), (1,), (0, 2), (0, 1, 2)):
        choice = choice_of(mode, layers=layers)
        write_vectors(added_vectors(steering_frame(), choice), tmp_path / "added.safetensors")
        own, theirs = (
            steering_with(str(tmp_path / "added.safetensors"), "red", choice),
            as_in_the_run(tmp_path, choice, "red"),
        )
        ours, run = (_tables(ref) for ref in (own, theirs))
        assert ours.keys() == run.keys() == set(layers)
        for layer in layers:
            assert torch.equal(ours[layer], run[layer])
            assert ours[layer].abs().max() > 0.01


def test_adaptive_keeps_the_floors(tmp_path: Path) -> None:
    choice = choice_of("adaptive")
    found = added_vectors(steering_frame(), choice)
    assert found[floor_key("blue")].shape == (LAYERS, 1)
    assert found.keys() == {"blue", "red", floor_key("blue"), floor_key("red")}


def test_a_method_without_vectors_is_refused() -> None:
    with pytest.raises(InputError, match="none of the chosen method 'distinctive'"):
        added_vectors(steering_frame(), choice_of().model_copy(update={"method": "distinctive"}))


def _tables(ref: SteerRef) -> dict[int, torch.Tensor]:
    tensors = {(ref.vectors_file, ref.key): read_vectors(ref.vectors_file, [ref.key])[ref.key]}
    steering = RowSteering.of([ref], tensors, torch.device("cpu"))
    assert steering is not None
    return steering.tables
