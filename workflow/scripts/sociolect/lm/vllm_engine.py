"""Starting vLLM: its environment variables and arguments, for the pinned release."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sociolect.common.errors import InputError
from sociolect.settings.vllm import VllmSettings

if TYPE_CHECKING:
    # it stands in a string below, for vLLM to import; here the digests of the programs see it
    from sociolect.lm.vllm_compiled_worker import CompiledWorker  # noqa: F401

__all__ = ["ENVIRONMENT", "start_engine"]

WORKER = "sociolect.lm.vllm_worker.SteeringExtension"
COMPILED_WORKER = "sociolect.lm.vllm_compiled_worker.CompiledWorker"
# read by vLLM when it is imported
ENVIRONMENT = {
    # the runner whose records the extension reads; vLLM takes another on GPUs by default
    "VLLM_USE_V2_MODEL_RUNNER": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
}


def start_engine(folder: Path, settings: VllmSettings, dtype: str, threads: int, share: float) -> Any:
    """vLLM's engine, with what steers and samples in its workers; the hooks are not on yet unless they are compiled.

    Args:
        folder: the language model.
        settings: how vLLM is run.
        dtype: of the weights.
        threads: CPU threads; used where there is no GPU.
        share: part of `settings.memory_share` that it takes.

    Raises:
        InputError: vLLM is not installed in this environment, or does not start with this model.
    """
    cuda = torch.cuda.is_available()
    os.environ.update(ENVIRONMENT)
    # a process of its own only pays where it runs beside a GPU
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "1" if cuda else "0")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    if cuda:
        # of several workers each gets its part
        os.environ["OMP_NUM_THREADS"] = str(max(1, threads // settings.tensor_parallel))
    else:
        torch.set_num_threads(threads)
    try:
        from vllm import LLM
    except ImportError as error:
        raise InputError(f"vLLM cannot be imported ({error}); make its environment: make setup-vllm") from error
    compiled = settings.steering == "compiled"
    gib = settings.cache_gib if settings.cache_gib is not None or cuda else 1.0
    try:
        return LLM(
            model=str(folder),
            tokenizer=str(folder),
            dtype=dtype,
            seed=0,
            generation_config="vllm",
            logprobs_mode="raw_logits",
            logits_processors=["sociolect.lm.vllm_sampling:SeededSampling"],
            max_model_len=settings.context,
            max_num_seqs=settings.max_sequences,
            max_num_batched_tokens=settings.batch_tokens,
            gpu_memory_utilization=settings.memory_share * share,
            kv_cache_memory_bytes=None if gib is None else int(gib * 2**30),
            tensor_parallel_size=settings.tensor_parallel,
            enable_prefix_caching=settings.prefix_caching,
            enforce_eager=not compiled,
            disable_log_stats=True,
            **(
                # vLLM keeps compiled models; one that was compiled without the hooks must not be found
                {"worker_cls": COMPILED_WORKER, "additional_config": {"sociolect_slots": settings.slots}}
                if compiled
                else {"worker_extension_cls": WORKER}
            ),
        )
    except (ValueError, RuntimeError, OSError) as error:
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise InputError(f"{folder}: vLLM does not start with this model ({first}); the log above says more") from error
