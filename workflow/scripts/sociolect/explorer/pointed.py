"""Distinct texts, each once, and where in them the attributes of the catalogue point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sociolect.stylometry.spans import measures_that_point, spans_of

__all__ = ["numbered", "pointed_attributes", "pointed_spans"]


def numbered(values: Iterable[str]) -> dict[str, int]:
    """Distinct values in the order of their first sight -> 0, 1, ..."""
    return {value: i for i, value in enumerate(dict.fromkeys(values))}


def pointed_attributes(names: Sequence[str]) -> dict[int, str]:
    """Index of an attribute -> the measure that points at words, of those that have one.

    A describer that is a language model names attributes as it likes: one has a measure if the stylometry describer
    has the very same name for it.

    Args:
        names: attributes in the order of style vectors.
    """
    known = measures_that_point()
    return {i: known[name] for i, name in enumerate(names) if name in known}


def pointed_spans(text: str, attributes: Mapping[int, str]) -> list[list[int]]:
    """For each attribute that is seen in the text: [its index, start, length, start, length, ...], in characters.

    Args:
        text: a generated answer.
        attributes: of `pointed_attributes`.
    """
    found = spans_of(text)
    return [
        [i, *(number for start, end in found[measure] for number in (start, end - start))]
        for i, measure in attributes.items()
        if measure in found
    ]
