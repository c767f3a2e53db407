"""A pretrained model on vLLM and a CPU."""

from __future__ import annotations

from pathlib import Path

import torch

from sociolect.lm.requests import Request
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.vllm_backend import VllmBackend
from sociolect.settings.vllm import VllmSettings
from tiny_models import need_vllm

need_vllm()

torch.set_num_threads(1)


def test_a_pretrained_model_passes_the_test_of_steering_and_answers_as_transformers(gemma: Path) -> None:
    """An engine compares its steered logits at every block with those of transformers before it answers."""
    reference = TransformersBackend(gemma, 1, device="cpu")
    texts = ["The capital of France is", "Dear all,"]
    asked = [
        Request(str(i), tuple(reference.tokenizer(text).input_ids), 8, 0.0, 1.0, 0) for i, text in enumerate(texts)
    ]
    wanted = {result.id: result.text for result in reference.generate(asked)}
    reference.close()
    engine = VllmBackend(gemma, VllmSettings(context=256, max_sequences=8, cache_gib=0.5), "float32", threads=1)
    try:
        assert {result.id: result.text for result in engine.generate(asked)} == wanted
    finally:
        engine.close()
