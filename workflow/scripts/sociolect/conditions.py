"""Names of the eight conditions in the notes' order (N18), and of their controls."""

from __future__ import annotations

__all__ = ["BASELINE", "CONDITIONS", "CONTROLS", "NOISE_FLOOR", "unsteered"]

CONDITIONS = (
    "question",
    "question+group",
    "question+attributes",
    "question+group+attributes",
    "steered",
    "steered+group",
    "steered+attributes",
    "steered+group+attributes",
)
BASELINE = CONDITIONS[0]
CONTROLS = ("question (other seed)", "steered (random)", "steered (shuffled)", "steered (other group)")
NOISE_FLOOR = CONTROLS[0]


def unsteered(condition: str) -> str:
    """The condition with the same prompt and no steering: that of the matched reference."""
    return condition.split(" (")[0].replace("steered", BASELINE, 1)
