"""The eight conditions of the comparison in its order, and what stands below the line: what each asks, how it is
steered, and towards whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, get_args

from sociolect.settings.steering import Method

__all__ = [
    "ADAPTED",
    "BASELINE",
    "CONDITIONS",
    "CONTROLS",
    "EXAMPLES",
    "NOISE_FLOOR",
    "ROWS",
    "STEERED",
    "Condition",
    "conditions_of",
    "method_row",
    "ordered",
    "resolve_method",
    "unsteered",
]

CHOSEN, BEST = "chosen", "best_"
STEERED = "steered"
EXAMPLES, ADAPTED = "question+examples", "adapter"


class Condition(NamedTuple):
    """How a condition's answers are made.

    Attributes:
        kind: what the prompt says: one of the four kinds of prompt, or example answers.
        method: of the steering vector: `chosen` (on val), a control's, or `best_<method>`, which is steered with the
            setting that was best of that method; None where nothing is steered, `adapter` where weights are trained.
        other_seed: whether its draws are others than those of row 1.
        other_prompt: whether the prompt is that for another group than the target.
        best_wording: whether the prompt is worded as val chose.
        control: whether it stands below the line.
        cross: whether it is also asked for the style of other groups than the question's.
    """

    kind: str
    method: str | None = None
    other_seed: bool = False
    other_prompt: bool = False
    best_wording: bool = False
    control: bool = False
    cross: bool = True


CONDITIONS = {
    "question": Condition("question"),
    "question+group": Condition("question+group"),
    "question+attributes": Condition("question+attributes"),
    "question+group+attributes": Condition("question+group+attributes"),
    STEERED: Condition("question", CHOSEN),
    "steered+group": Condition("question+group", CHOSEN),
    "steered+attributes": Condition("question+attributes", CHOSEN),
    "steered+group+attributes": Condition("question+group+attributes", CHOSEN),
    "question (other seed)": Condition("question", other_seed=True, control=True, cross=False),
    "steered (random)": Condition("question", "random", control=True),
    "steered (topic)": Condition("question", "topic", control=True),
    "steered (shuffled)": Condition("question", "shuffled", control=True),
    "steered (other group)": Condition("question", "other_group", control=True, cross=False),
    "question+group (other group)": Condition("question+group", other_prompt=True, control=True, cross=False),
    "question+group+attributes (best wording)": Condition("question+group+attributes", best_wording=True, control=True),
    EXAMPLES: Condition(EXAMPLES, control=True),
}
ROWS = tuple(name for name, condition in CONDITIONS.items() if not condition.control)
# below the line whatever methods there are
CONTROLS = tuple(name for name, condition in CONDITIONS.items() if condition.control)
BASELINE, NOISE_FLOOR = "question", "question (other seed)"


def method_row(method: str) -> str:
    """The condition in which a method is shown with its own best setting."""
    return f"steered ({method})"


def conditions_of(methods: Sequence[str], adapters: bool = False) -> dict[str, Condition]:
    """All conditions in the order of the tables: the eight rows, controls, what a trained adapter answers where there
    is one, and every method by itself."""
    trained = {f"question ({ADAPTED})": Condition("question", ADAPTED, control=True)} if adapters else {}
    return CONDITIONS | trained | {method_row(m): Condition("question", f"{BEST}{m}", control=True) for m in methods}


def ordered(names: Iterable[str]) -> list[str]:
    """Conditions in the order of the tables: the eight rows, controls, then methods in the order of their names in
    `steering.methods`' choice."""
    methods = {method_row(name): i for i, name in enumerate(get_args(Method))}
    place = {name: i for i, name in enumerate(CONDITIONS)}
    return sorted(names, key=lambda name: (place.get(name, len(place)), methods.get(name, len(methods)), name))


def unsteered(condition: str) -> str:
    """The condition with the same prompt and no steering: that of the matched reference."""
    return condition.split(" (")[0].replace("steered", BASELINE, 1)


def resolve_method(method: str, chosen: str) -> str:
    """The method in STEERING that a request's method stands for, once the method is chosen on val.

    Args:
        method: of a request: chosen, random, topic, shuffled, other_group or best_<method>.
        chosen: name of the chosen method.
    """
    if method.startswith(BEST):
        return method.removeprefix(BEST)
    known = {CHOSEN: chosen, "random": "random", "topic": "topic"}
    return known.get(method, f"{method}_{chosen}")
