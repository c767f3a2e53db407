"""What is measured of each generated text by itself: a column of scores, its mean in the comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sociolect.evaluation.damage import distinct, longest_repeat, words_of

__all__ = ["METRICS", "Metric"]

# a text -> a number; None where there is nothing to measure
Metric = Callable[[str], float | None]

# names and meanings stand in TEXT_METRICS of common/schemas.py
METRICS: Mapping[str, Metric] = {
    "distinct_1": lambda text: distinct(words_of(text), 1),
    "distinct_2": lambda text: distinct(words_of(text), 2),
    "distinct_3": lambda text: distinct(words_of(text), 3),
    "longest_repeat": lambda text: longest_repeat(words_of(text)),
}
