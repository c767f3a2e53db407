"""How well style vectors tell groups apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sociolect.embedding.baselines import group_accuracy

pytestmark = pytest.mark.usefixtures("one_thread")


def test_group_accuracy_sees_what_the_style_vectors_know() -> None:
    rng = np.random.default_rng(2)
    groups = [f"g{i % 3}" for i in range(300)]
    parts = np.array(["train", "test"] * 150)
    own = np.eye(3)[[i % 3 for i in range(300)]]
    knows: Any = group_accuracy(own + rng.normal(0, 0.1, own.shape), groups, parts)
    nothing: Any = group_accuracy(rng.random((300, 3)), groups, parts)
    assert knows == 1.0 and 0.35 < nothing < 0.65
    assert group_accuracy(own, ["g0"] * 300, parts) is None
