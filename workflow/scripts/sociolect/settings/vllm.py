"""How vLLM is run by any stage that generates, and what a program is told of its backend."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sociolect.settings.base import BackendName, Positive, Stage


class VllmSettings(Stage):
    """How vLLM is run, where a stage has `backend: vllm`."""

    steering: Literal["eager", "compiled", "one_vector"] = Field(
        "eager",
        description="eager: hooks, any vectors in one batch; compiled: the same hooks inside torch.compile and CUDA "
        "graphs; one_vector: one vector per call, without anything of vLLM's runner.",
    )
    slots: Positive = Field(128, description="Distinct steerings held at once; more are served in rounds.")
    context: Positive | None = Field(None, description="Longest prompt and output together; null: the model's.")
    max_sequences: Positive = Field(256, description="Most requests under way at once.")
    batch_tokens: Positive | None = Field(None, description="Most tokens of a forward pass; null: vLLM's choice.")
    memory_share: float = Field(0.9, gt=0, lt=1, description="Share of the GPU's memory for weights and cache.")
    cache_gib: float | None = Field(
        None, gt=0, description="Memory for keys and values in GiB; null: what memory_share leaves, on a CPU 1."
    )
    prefix_caching: bool = Field(True, description="Keys and values of equal beginnings are computed once.")
    tensor_parallel: Positive = Field(1, description="GPUs that share the model, in every job with `backend: vllm`.")


class BackendChoice(Stage):
    """What a program that generates is told: the backend, and how vLLM is run."""

    backend: BackendName
    vllm: VllmSettings = VllmSettings()
