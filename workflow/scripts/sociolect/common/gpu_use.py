"""What this process has of its GPUs, for the heartbeat: asked of a torch that uses them already, and of no other.

Standard library only.
"""

from __future__ import annotations

import sys
from typing import Any


def gpu_use() -> dict[str, Any]:
    """Bytes that torch holds and that there are, over the GPUs of this process; with `busy`, in percent, where NVML is
    installed. Empty where torch uses no GPU: nothing is imported and no device is touched.
    """
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    try:
        if cuda is None or not cuda.is_initialized():
            return {}
        devices = range(cuda.device_count())
        held = sum(cuda.memory_reserved(device) for device in devices)
        total = sum(cuda.get_device_properties(device).total_memory for device in devices)
    except Exception:  # whatever driver or torch says: a heartbeat ends no program
        return {}
    busy = _busy(cuda)
    return {"held": held, "total": total} | ({} if busy is None else {"busy": busy})


def _busy(cuda: Any) -> int | None:
    """Percent of the time that the current GPU computes; torch asks NVML, which needs a package of its own."""
    try:
        return int(cuda.utilization())
    except Exception:  # no package, no driver, or a device that does not tell
        return None
