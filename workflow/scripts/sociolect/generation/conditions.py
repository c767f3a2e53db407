"""The eight conditions of the comparison in its order, and their controls: what each asks, and how it is steered."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BASELINE", "CONDITIONS", "CONTROLS", "NOISE_FLOOR", "ROWS", "Condition", "resolve_method", "unsteered"]

CHOSEN = "chosen"


class Condition(NamedTuple):
    """How a condition's answers are made.

    Attributes:
        kind: what the prompt says, one of the four kinds of prompt.
        method: of the steering vector: `chosen` (on val), or a control's; None where nothing is steered.
        other_seed: whether its draws are others than those of row 1.
        control: whether it stands apart from the eight rows.
    """

    kind: str
    method: str | None = None
    other_seed: bool = False
    control: bool = False


CONDITIONS = {
    "question": Condition("question"),
    "question+group": Condition("question+group"),
    "question+attributes": Condition("question+attributes"),
    "question+group+attributes": Condition("question+group+attributes"),
    "steered": Condition("question", CHOSEN),
    "steered+group": Condition("question+group", CHOSEN),
    "steered+attributes": Condition("question+attributes", CHOSEN),
    "steered+group+attributes": Condition("question+group+attributes", CHOSEN),
    "question (other seed)": Condition("question", other_seed=True, control=True),
    "steered (random)": Condition("question", "random", control=True),
    "steered (shuffled)": Condition("question", "shuffled", control=True),
    "steered (other group)": Condition("question", "other_group", control=True),
}
ROWS = tuple(name for name, condition in CONDITIONS.items() if not condition.control)
CONTROLS = tuple(name for name, condition in CONDITIONS.items() if condition.control)
BASELINE, NOISE_FLOOR = "question", "question (other seed)"


def unsteered(condition: str) -> str:
    """The condition with the same prompt and no steering: that of the matched reference."""
    return condition.split(" (")[0].replace("steered", BASELINE, 1)


def resolve_method(method: str, chosen: str) -> str:
    """The method in STEERING that a request's method stands for, once the method is chosen on val.

    Args:
        method: of a request: chosen, random, shuffled or other_group.
        chosen: all or distinctive.
    """
    known = {CHOSEN: chosen, "random": "random"}
    return known.get(method, f"{method}_{chosen}")
