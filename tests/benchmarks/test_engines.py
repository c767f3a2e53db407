"""All manners of steering say the same."""

from __future__ import annotations

from pathlib import Path

import torch

from engines import answers_of, generate_answers, groups_of, peer_answers
from language_models import SHAPES as LANGUAGE_SHAPES
from language_models import Steered, Work, build_language_model, make_vectors
from sociolect.lm.transformers_backend import TransformersBackend

CPU = torch.device("cpu")


def test_all_manners_of_steering_say_the_same(tmp_path: Path) -> None:
    shape = LANGUAGE_SHAPES["tiny"]
    build_language_model(shape, "float32", 64, CPU, tmp_path / "model")
    backend = TransformersBackend(tmp_path / "model", 64, device="cpu")
    make_vectors(backend.model, tmp_path / "vectors.safetensors")
    work = Work(str(tmp_path / "vectors.safetensors"), shape.layers, shape.vocabulary, 12, (3, 9), 5, 0.0)
    assert work.requests(1, Steered()) == work.requests(1, Steered()) and work.context == 14
    assert work.requests(1, Steered())[0].prompt_token_ids != work.requests(2, Steered())[0].prompt_token_ids
    said = {}
    for steered in (Steered(), Steered(3), Steered(3, everywhere=True)):
        requests = work.requests(1, steered)
        assert len(groups_of(requests)) == max(1, steered.vectors)
        said[steered] = answers_of(backend)(requests)
        manners = (answers_of(backend, grouped=True), peer_answers(backend.model, 2))
        for manner in manners if steered.vectors else (generate_answers(backend.model, 5),):
            assert {name: tuple(ids) for name, ids in manner(requests).items()} == said[steered]
    assert len(set(map(str, said.values()))) == 3
