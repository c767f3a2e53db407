"""vLLM's worker with the steering hooks in place before the model is compiled.

Hooks that come after torch.compile do nothing, silently. This class puts them on as soon as the weights are loaded, so
that they are traced with the model and captured in CUDA graphs.
"""

from __future__ import annotations

from typing import Any

from vllm.platforms import current_platform

from sociolect.lm.vllm_worker import SteeringExtension

if current_platform.is_cpu():
    from vllm.v1.worker.cpu_worker import CPUWorker as Worker
else:
    from vllm.v1.worker.gpu_worker import Worker

__all__ = ["CompiledWorker"]


# the extension last: vLLM may have added it to the worker itself for another engine of this process
class CompiledWorker(Worker, SteeringExtension):
    """The platform's worker, steered from the start."""

    def load_model(self: Any, *args: Any, **kwargs: Any) -> None:
        """Load the weights, then put the hooks on."""
        super().load_model(*args, **kwargs)
        n_slots = int(self.vllm_config.additional_config["sociolect_slots"])
        self.steering_install(n_slots, "slots", early=True)
