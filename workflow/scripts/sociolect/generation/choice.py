"""What the sweep chose: how a method's vectors are applied on test."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sociolect.common.errors import InputError
from sociolect.generation.conditions import BEST, resolve_method

__all__ = ["Applied", "Choice", "read_choice"]


class Applied(BaseModel):
    """How a method is applied: blocks, strength, positions and mode."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    method: str
    layers: tuple[int, ...] = Field(min_length=1)
    alpha: float
    positions: str
    mode: str


class Choice(Applied):
    """What was chosen on val; every method's own best; and the norms that scale the vectors."""

    residual_norms: tuple[float, ...]
    fluent: bool
    methods: dict[str, Applied]

    def applied(self, method: str) -> Applied:
        """How the vector of a request's method is applied: controls like the chosen one."""
        return self.methods[resolve_method(method, self.method)] if method.startswith(BEST) else self


def read_choice(path: Path) -> Choice:
    """Read choice.json.

    Raises:
        InputError: no such file, or it lacks a key.
    """
    try:
        return Choice.model_validate_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise InputError(f"{path}: not the choice of a sweep ({error}); choose the strength again") from error
