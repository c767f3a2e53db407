"""Style vectors: how texts are scored."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sociolect.settings.base import Positive, Stage


class LabelingSettings(Stage):
    """Scoring every answer on every attribute."""

    scorer: Literal["distilled", "cross_encoder", "measured"] = Field(
        "cross_encoder",
        description="cross_encoder: SFAM over all pairs of answer and attribute; distilled: a student of it, one pass "
        "per answer; measured: no SFAM, the measures of the stylometry describer as calibrated probabilities.",
    )
    max_tokens: int = Field(512, ge=16, description="Length of a pair; the answer is cut, the attribute never.")
    tokens_per_batch: int = Field(
        16384, ge=64, description="Token budget of a batch; halved by itself when memory runs out."
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="bf16: products in bfloat16 where the device has it; scores differ by up to 0.005."
    )
    compiled: bool = Field(False, description="torch.compile: needs a C++ compiler, and minutes to begin.")
    buckets: Positive = Field(64, description="Answers are hashed into this many resumable pieces.")
    shards: Positive = Field(2, description="Jobs that share the buckets. A change relabels nothing.")
