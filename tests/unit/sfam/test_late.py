"""Late interaction: who sees whom."""

from __future__ import annotations

import pytest
import torch

from sociolect.sfam.late import late_mask

# more threads only wait for each other on such small tensors
pytestmark = pytest.mark.usefixtures("one_thread")


def test_late_mask_by_hand() -> None:
    # [CLS] attribute [SEP] answer [SEP] pad: only [CLS] sees both texts
    mask = late_mask(torch.tensor([[0, 0, 0, 1, 1, 0]]), torch.tensor([[1, 1, 1, 1, 1, 0]]))[0]
    assert mask.tolist() == [
        [1, 1, 1, 1, 1, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 0],
    ]
