"""What runs inside vLLM's workers: steering hooks, and the slot of every token before each forward pass.

`SteeringExtension` is mixed into vLLM's worker class (`worker_extension_cls`); its methods are called by name through
`collective_rpc`. Two ways to tell tokens apart:

- by slots: from the model runner's own records, so that requests of any steering share a pass. Written for model
  runner V1 of vLLM 0.32, and refused on any other.
- by position: one steering per call and one length of prompts; only the model's public `positions` are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from sociolect.common.errors import InputError
from sociolect.lm.hooks import blocks_of
from sociolect.lm.requests import SteerRef
from sociolect.lm.steering_slots import SlotEntry, SteeringSlots, first_steered, slots_of_tokens

__all__ = ["EXTRA", "SteeringExtension"]

# key of SamplingParams.extra_args: [slot, digest, positions]
EXTRA = "sociolect_steering"
# what model runner V1 keeps of each request
_RECORDS = ("req_ids", "num_reqs", "num_computed_tokens_cpu", "num_prompt_tokens")


class SteeringExtension:
    """Methods that vLLM's worker gains. Those of the worker itself that are used: get_model, model_runner, device."""

    steering: SteeringSlots

    def steering_install(self: Any, n_slots: int, by: str, early: bool = False) -> dict[str, Any]:
        """Put hooks on the decoder blocks.

        Args:
            n_slots: distinct steerings held at once.
            by: `slots` or `position`.
            early: before the model is compiled; the hooks then have no branches.

        Returns:
            what the backend reports: class of the runner, number of blocks, whether hooks are compiled.

        Raises:
            InputError: a model whose blocks are not found, or a runner that `by: slots` was not written for.
        """
        if hasattr(self, "steering"):
            return self.steering_report()
        runner, model = self.model_runner, self.get_model()
        blocks = list(blocks_of(model))
        config = runner.model_config
        self.steering = SteeringSlots(
            blocks,
            int(config.get_hidden_size()),
            n_slots,
            int(runner.max_num_tokens),
            config.dtype,
            torch.device(self.device),
            skip=not early,
        )
        self.steering_early = early
        if by == "slots":
            check_runner(runner)
            self._steering_wrap(runner)
        else:
            model.register_forward_pre_hook(self._steering_by_position, with_kwargs=True)
            self.steering_first = None
        return self.steering_report()

    def steering_report(self: Any) -> dict[str, Any]:
        """Class of the runner, number of blocks, whether the hooks were there before the model was compiled."""
        return {
            "runner": f"{type(self.model_runner).__module__}.{type(self.model_runner).__qualname__}",
            "blocks": len(self.steering.blocks),
            "early": self.steering_early,
        }

    def steering_load(self: Any, entries: Sequence[tuple[int, str, str, str, list[int], float, str]]) -> None:
        """Fill the slots: (slot, digest, vectors file, key, layers, strength, positions) of each."""
        self.steering.load(
            [
                SlotEntry(slot, SteerRef(file, key, tuple(layers), strength, positions), digest)
                for slot, digest, file, key, layers, strength, positions in entries
            ]
        )
        self._steering_requests: dict[str, tuple[int, int]] = {}

    def steering_fix(self: Any, first: int | None) -> None:
        """By position: steer by slot 1 from this index of every request on; None steers nothing."""
        self.steering_first = first
        self.steering.clear()

    def _steering_by_position(self: Any, model: Any, args: Any, kwargs: dict[str, Any]) -> None:
        positions = kwargs.get("positions")
        if self.steering_first is None:
            return
        if positions is None:
            raise RuntimeError("this vLLM does not pass `positions` to its model by name; steering cannot be placed")
        self.steering.place((positions >= self.steering_first).to(torch.int64))

    def _steering_wrap(self: Any, runner: Any) -> None:
        """Before each real forward pass, write the slots of its tokens. Dummy passes do not come by here."""
        self._steering_requests = {}
        forward = runner._model_forward

        def steered(*args: Any, **kwargs: Any) -> Any:
            self.steering.place(self._steering_slots(runner))
            try:
                return forward(*args, **kwargs)
            finally:
                self.steering.clear()

        runner._model_forward = steered

    def _steering_slots(self: Any, runner: Any) -> np.ndarray:
        batch = runner.input_batch
        n = batch.num_reqs
        known = self._steering_requests
        if len(known) > 4 * n + 1024:
            known.clear()
        found = [known.get(name) or self._steering_lookup(runner, name) for name in batch.req_ids[:n]]
        slots, first = np.array(found, dtype=np.int64).reshape(n, 2).T
        return slots_of_tokens(runner.query_start_loc.np[: n + 1], batch.num_computed_tokens_cpu[:n], slots, first)

    def _steering_lookup(self: Any, runner: Any, name: str) -> tuple[int, int]:
        """Slot of a request and index of its first steered token.

        Raises:
            RuntimeError: the request does not say how it is steered, or its slot holds another steering by now.
        """
        request = runner.requests[name]
        extra = (request.sampling_params.extra_args or {}).get(EXTRA)
        if extra is None:
            raise RuntimeError(f"request {name} does not say how it is steered: extra_args lacks {EXTRA}")
        slot, digest, positions = extra
        if slot and self.steering.digests.get(slot) != digest:
            raise RuntimeError(f"request {name} asks for steering {digest}; slot {slot} holds another")
        found = (slot, first_steered(positions, len(request.prompt_token_ids)))
        self._steering_requests[name] = found
        return found


def check_runner(runner: Any) -> None:
    """Refuse a model runner whose records are not those of V1.

    Raises:
        InputError: naming what is missing, and the way that needs no records.
    """
    missing = [
        name for name in ("_model_forward", "requests", "query_start_loc", "input_batch") if not hasattr(runner, name)
    ]
    if not missing:
        missing = [f"input_batch.{name}" for name in _RECORDS if not hasattr(runner.input_batch, name)]
    if not missing and not hasattr(runner.query_start_loc, "np"):
        missing = ["query_start_loc.np"]
    if missing:
        raise InputError(
            f"vLLM's model runner {type(runner).__module__}.{type(runner).__qualname__} has no {', '.join(missing)}: "
            "steering was written for model runner V1 of vLLM 0.32; install the pinned one (make setup-vllm), or set "
            "vllm.steering: one_vector, which needs nothing of the runner"
        )
