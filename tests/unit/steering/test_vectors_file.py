"""The file of scaled vectors."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import vectors
from sociolect.common.errors import InputError
from sociolect.lm.requests import floor_key
from sociolect.steering.vectors_file import scaled_vectors, vector_key


def test_vectors_have_the_norm_of_their_block_and_floors_lie_beside_them() -> None:
    unit = np.array([[0.6, 0.8], [0.0, 1.0], [1.0, 0.0], [0.8, 0.6]])
    frame = pl.DataFrame(
        {
            "group": ["x", "x", "y", "y"],
            "method": ["all", "all", "adaptive", "adaptive"],
            "layer": pl.Series([0, 1, 0, 1], dtype=pl.Int32),
            "vector": vectors(unit, "vector"),
            "floor": [1.0, 2.0, 3.0, 4.0],
        }
    )
    found = scaled_vectors(frame.sample(fraction=1.0, shuffle=True, seed=1), [2.0, 5.0])
    x, y = vector_key("all", "x"), vector_key("adaptive", "y")
    assert set(found) == {x, y, floor_key(x), floor_key(y)}
    assert np.allclose(found[x].numpy(), np.array([[1.2, 1.6], [0, 5]])) and np.allclose(
        found[y].numpy(), np.array([[2, 0], [4, 3]])
    )
    # floors are projections on the unit vector, which no norm scales
    assert found[floor_key(x)].tolist() == [[1], [2]] and found[floor_key(y)].tolist() == [[3], [4]]
    with pytest.raises(InputError, match="group 'y', method 'adaptive': 2 layers, but 3 residual norms"):
        scaled_vectors(frame.filter(pl.col("group") == "y"), [1.0, 1.0, 1.0])
