"""Fused kernels of disentangled attention, as the labeling engine's own: flashdeberta and disentangled-flash."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from typing import Any

import torch

import measuring  # noqa: F401  (makes sociolect importable)
from sociolect.common.errors import InputError
from sociolect.sfam.engine import Engine, Seen, flash_attention

__all__ = ["KERNELS", "plain_engine", "with_kernel"]

Attend = Callable[[Seen], torch.Tensor]


def plain_engine(model: Any, precision: str) -> Engine:
    """The engine with PyTorch's attention, whatever kernels are installed."""
    return _attending(Engine(model, "bf16" if precision == "bf16" else "fp32"), None)


def with_kernel(model: Any, package: str) -> Engine:
    """The engine in bf16 with the kernel of a package in all blocks but the last, which needs [CLS] alone.

    Raises:
        InputError: the package cannot be imported here, or its kernels are others than those known; the message
            names the version.
    """
    engine = Engine(model, "bf16")
    try:
        return _attending(engine, KERNELS[package](engine))
    except (ImportError, AttributeError, TypeError) as error:
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            raise InputError(f"skipped: {package} is not installed") from error
        raise InputError(f"skipped: {package} {version} does not work here ({error})") from error


def _attending(engine: Engine, attend: Attend | None) -> Engine:
    # the product chooses by itself; a measurement has to
    engine._flash = attend
    return engine


def _flashdeberta(engine: Engine) -> Attend:
    # the module, since the package above it names its functions in some versions only
    return flash_attention(
        engine, importlib.import_module("flashdeberta.ops.flash_attention").flash_attention_with_disentangled
    )


def _disentangled_flash(engine: Engine) -> Attend:
    """The package's attention module, which is given queries, keys and values instead of projecting them itself."""
    package = importlib.import_module("disentangled_flash")
    kernel = importlib.import_module("disentangled_flash.kernel")
    position = importlib.import_module("disentangled_flash.position")
    family = importlib.import_module("disentangled_flash.tuning").tuning_sequence_length
    encoder = engine.model.deberta.encoder
    module: Any = package.DisentangledFlashAttention(engine.config).eval()
    distances = position.SharedPositionPlanCache(
        position_buckets=encoder.position_buckets,
        max_relative_positions=encoder.max_relative_positions,
        position_embedding_size=engine.span,
    )
    # it projects by this method
    module._project_qkv = lambda hidden: hidden.qkv
    tables: dict[tuple[int, int], dict[str, torch.Tensor | None]] = {}

    def attend(seen: Seen) -> torch.Tensor:
        n = len(seen.lengths)
        q, k, v = (x.transpose(0, 1).flatten(1).unflatten(0, (n, -1)) for x in (seen.q, seen.k, seen.v))
        length = q.shape[1]
        indices = distances.compact(family(length), q.device)
        key = (id(seen.block), family(length))
        if key not in tables:
            tables[key] = {
                term: position.pad_position_table(seen.block[term][:, indices.active_slots].contiguous())
                if term in seen.block
                else None
                for term in ("c2p", "p2c")
            }
        plan = kernel.TritonPreparedPositionPlan(
            sequence_length=length,
            active_slots=indices.active_slots,
            delta_to_local=indices.delta_to_local,
            position_offset=family(length) - 1,
            pos_key=tables[key]["c2p"],
            pos_query=tables[key]["p2c"],
        )
        mask = torch.ones(n, length, dtype=torch.bool, device=q.device) if seen.mask is None else seen.mask
        return module.forward_prepared(_Projected(q, (q, k, v)), mask, plan)[0]

    return attend


class _Projected:
    """Hidden states of which only size, type and place are asked for, and what they were projected to."""

    def __init__(self, like: torch.Tensor, qkv: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> None:
        self.qkv, self.shape, self.dtype, self.device, self.size = qkv, like.shape, like.dtype, like.device, like.size


KERNELS: dict[str, Callable[[Engine], Attend]] = {
    "flashdeberta": _flashdeberta,
    "disentangled-flash": _disentangled_flash,
}
