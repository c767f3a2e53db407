"""Residual norms and means of what blocks put out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sociolect.common.errors import InputError
from sociolect.lm.hooks import read_blocks
from sociolect.lm.reading import read_mean, residual_norms
from sociolect.lm.transformers_backend import TransformersBackend
from tiny_models import tiny_reader

torch.set_num_threads(1)
TEXT = "You use short words. You use a comma. You write a text. Write a short text."


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> TransformersBackend:
    return tiny_reader(tmp_path_factory.mktemp("lm"), TEXT)


def test_residual_norms_are_medians_over_answer_tokens(backend: TransformersBackend, tmp_path: Path) -> None:
    prompts, answers = [[2, 12, 13], [2, 14]], [[15, 16, 17], []]
    with torch.inference_mode(), read_blocks(backend.model, range(3)) as seen:
        backend.model(input_ids=torch.tensor([[2, 12, 13, 15, 16, 17]]))
    expected = [seen[layer][0, 3:].norm(dim=-1).median().item() for layer in range(3)]
    assert residual_norms(backend.model, prompts, answers, 100) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(InputError, match="answers nothing"):
        residual_norms(backend.model, prompts, [[], []], 100)
    assert read_mean(backend.model, [], 10).shape == (0, 3, 32)
