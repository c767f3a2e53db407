"""What the sections of all stages share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Split = Literal["single", "multi", "askx"]


Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


Share = Annotated[float, Field(ge=0, le=1)]


Positive = Annotated[int, Field(ge=1)]


BackendName = Literal["transformers", "vllm"]


BACKENDS = "transformers: the reference; vllm: faster, in an environment of its own (make setup-vllm)."


class Stage(BaseModel):
    """A section of the config: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Experiment(Stage):
    """One fit and one set of questions."""

    fit: tuple[Split, ...] = Field(min_length=1, description="Splits that the net and the profiles are fitted on.")
    ask: Split = Field(description="Split whose test questions are asked.")
