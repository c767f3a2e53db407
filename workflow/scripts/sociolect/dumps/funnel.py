"""How many posts each rule met: read, left out, written, in numbers that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

__all__ = ["Funnel", "Step", "as_rows"]


@dataclass(frozen=True)
class Step:
    """One line of the funnel.

    Args:
        split: all, or the split that is made.
        what: read, out (left out), aside (questions, which go with their answers), kept (and told) or written.
        rule: in words.
        n: posts that it met.
        left: posts that are left after it.
        example: file and line, or id, of one that it met.
    """

    split: str
    what: str
    rule: str
    n: int
    left: int
    example: str = ""


class Funnel:
    """Counts by rule, as posts go by."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def add(self, rule: str, count: int = 1, example: str = "") -> None:
        """Count posts that a rule met."""
        if count:
            self.counts[rule] += count
            self.examples.setdefault(rule, example)

    def steps(self, split: str, start: int, out: Iterable[str], aside: Iterable[str] = ()) -> list[Step]:
        """The rules in the order of use, and what each leaves.

        Args:
            split: name of the split, or all.
            start: posts before the first rule.
            out: rules that leave posts out.
            aside: of these, those that only put posts aside.
        """
        found, left, kept = [], start, set(aside)
        for rule in out:
            left -= self.counts[rule]
            what = "aside" if rule in kept else "out"
            found.append(self.step(split, what, rule, left))
        return found

    def step(self, split: str, what: str, rule: str, left: int) -> Step:
        """One rule."""
        return Step(split, what, rule, self.counts[rule], left, self.examples.get(rule, ""))


def as_rows(steps: Sequence[Step]) -> list[dict[str, object]]:
    """The steps as plain values, for a file."""
    return [asdict(step) for step in steps]
