"""What the sections of all stages share."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

Split = Literal["single", "multi", "askx"]


Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


def _no_braces(path: str) -> str:
    if found := next((mark for mark in "{}" if mark in path), ""):
        raise ValueError(f"{path!r} has a {found!r}, which Snakemake takes for a wildcard; rename the file or folder")
    return path


UserPath = Annotated[str, AfterValidator(_no_braces)]


Share = Annotated[float, Field(ge=0, le=1)]


Positive = Annotated[int, Field(ge=1)]


BackendName = Literal["transformers", "vllm"]


BACKENDS = "transformers: the reference; vllm: faster, in an environment of its own (make setup-vllm)."


class Stage(BaseModel):
    """A section of the config: immutable, and an unknown key, NaN, infinity, or a truth for a number is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth(cls, value: Any, info: ValidationInfo) -> Any:
        # pydantic would take true for 1
        held = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(one, bool) for one in held) and not _holds(
            cls.model_fields[info.field_name or ""].annotation
        ):
            raise PydanticCustomError("truth", "true and false are no value of this key; write what is meant")
        return value


def _holds(annotation: Any) -> bool:
    """Whether a value of this type may be true or false, or is anything that checks itself."""
    return annotation in (bool, Any) or any(_holds(part) for part in get_args(annotation))


def in_order(pair: tuple[float, float]) -> tuple[float, float]:
    """The pair, if the first is not above the second.

    Raises:
        ValueError: it is.
    """
    if pair[0] > pair[1]:
        raise ValueError(f"{pair[0]:g} is above {pair[1]:g}; write the smaller one first")
    return pair


class Experiment(Stage):
    """One fit and one set of questions."""

    fit: tuple[Split, ...] = Field(min_length=1, description="Splits that the net and the profiles are fitted on.")
    ask: Split = Field(description="Split whose test questions are asked.")

    @field_validator("fit")
    @classmethod
    def _each_once(cls, value: tuple[Split, ...]) -> tuple[Split, ...]:
        for number, split in enumerate(value):
            if split in value[:number]:
                raise ValueError(f"{split} is there twice; name each split once")
        return value
