"""bfloat16 where the device computes in it; elsewhere float32, since imitating it is slower and no more exact."""

from __future__ import annotations

import logging
from typing import Literal

import torch

__all__ = ["Precision", "autocast", "has_bf16", "usable"]

Precision = Literal["fp32", "bf16"]
log = logging.getLogger("sociolect")


def has_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def usable(precision: Precision, device: torch.device) -> Precision:
    """The precision asked for, or fp32 where the device has no bfloat16, with a line in the log."""
    if precision == "bf16" and not has_bf16(device):
        log.info("this %s has no bfloat16: computing in float32", device.type)
        return "fp32"
    return precision


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """bfloat16 autocast where it is asked for and the device has it."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16" and has_bf16(device))
