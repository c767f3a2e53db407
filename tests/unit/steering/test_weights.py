"""Weights of attributes: temperature, selection, transforms."""

import numpy as np
import pytest

from sociolect.common.errors import InputError
from sociolect.steering.weights import (
    calibrate_temperature,
    effective_number,
    selection_mask,
    softmax_weights,
    transform_profile,
)

IDS = ["a0", "a1", "a2", "a3"]


def test_softmax_at_temperature_one_is_nearly_uniform() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=768)
    # E[e^x]^2 / E[e^2x] of uniform scores is (e - 1)^2 / ((e^2 - 1) / 2) = .924
    assert effective_number(softmax_weights(x, 1.0)) == pytest.approx(0.924 * 768, rel=0.01)
    other = x + rng.uniform(-0.05, 0.05, size=768)  # a second group, whose profile differs a little
    a, b = softmax_weights(x, 1.0), softmax_weights(other, 1.0)
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.999


@pytest.mark.parametrize("target", [1.5, 8.0, 100.0])
def test_calibration_reaches_the_target_and_scales_with_the_scores(target: float) -> None:
    x = np.random.default_rng(0).uniform(size=300)
    t = calibrate_temperature(x, target)
    assert effective_number(softmax_weights(x, t)) == pytest.approx(target, abs=1e-6)
    assert calibrate_temperature(5 * x + 2, target) == pytest.approx(5 * t)


def test_weights_of_a_selected_set() -> None:
    x, mask = np.array([3.0, 1.0, 2.0, 9.0]), selection_mask(IDS, ["a2", "a0"])
    assert mask.tolist() == [True, False, True, False]
    w = softmax_weights(x, calibrate_temperature(x, 8.0, mask), mask)
    assert np.allclose(w, [0.5, 0, 0.5, 0])  # fewer members than the target: uniform
    assert effective_number(softmax_weights(np.ones(5), calibrate_temperature(np.ones(5), 2.0))) == pytest.approx(5)
    with pytest.raises(InputError, match="no attribute is selected"):
        softmax_weights(x, 1.0, np.zeros(4, dtype=bool))
    with pytest.raises(InputError, match="'a9' is not in the catalogue"):
        selection_mask(IDS, ["a9"])


def test_transforms() -> None:
    x = np.array([[0.1, 0.5], [0.3, 0.5]])
    assert transform_profile(x, "raw").tolist() == x.tolist()
    assert np.allclose(transform_profile(x, "centred"), [[-0.1, 0], [0.1, 0]])
    assert np.allclose(transform_profile(x, "z"), [[-1, 0], [1, 0]])
    with pytest.raises(InputError, match="raw, centred or z"):
        transform_profile(x, "log")
