"""Contenders' scores must agree and must not be alike."""

from __future__ import annotations

import numpy as np
import pytest

from contenders import check_agreement, check_spread
from sociolect.common.errors import InputError


def test_agreement_has_a_tolerance_per_precision_and_needs_a_spread() -> None:
    scores = np.array([[0.2, 0.4], [0.6, 0.9]], dtype=np.float32)
    assert check_agreement(scores, scores + 4e-3, "x", "bf16") == pytest.approx(4e-3, rel=1e-3)
    with pytest.raises(InputError, match="answer 1, attribute 0"):
        check_agreement(scores, scores + np.array([[0, 0], [6e-3, 0]]), "x", "bf16")
    with pytest.raises(InputError, match="inf off"):
        check_agreement(scores, scores * np.nan, "x", "fp32")
    check_spread(scores)
    for alike in (scores[:, :1].repeat(3, axis=1), scores[:1].repeat(3, axis=0)):
        with pytest.raises(InputError, match="alike"):
            check_spread(alike)
