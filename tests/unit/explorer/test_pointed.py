"""Attributes of the catalogue that a measure points at, and where."""

from __future__ import annotations

from sociolect.explorer.pointed import numbered, pointed_attributes, pointed_spans


def test_attributes_without_a_measure_point_nowhere() -> None:
    names = ["long sentences", "hedging words", "an airy tone", "exclamation marks"]
    pointed = pointed_attributes(names)
    assert pointed == {1: "hedges", 3: "exclamation"}
    # behind a character that is two units of JavaScript
    assert pointed_spans("\U0001f600 Perhaps! We may go!", pointed) == [[1, 2, 7, 14, 3], [3, 9, 1, 20, 1]]
    assert pointed_spans("We go.", pointed) == []


def test_values_are_numbered_as_they_come() -> None:
    assert numbered(["b", "a", "b"]) == {"b": 0, "a": 1}
