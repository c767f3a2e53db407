"""The canonical form of an attribute's name."""

from __future__ import annotations

import pytest

from sociolect.attributes.wording import canonical


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("  Short   sentences. ", "short sentences"),
        ("**Bold** words;", "bold words"),
        ("British spelling.", "British spelling"),
        ("A formal tone", "a formal tone"),
        ("DNA acronyms", "DNA acronyms"),
        ("the reader\u2019s name", "the reader's name"),
        (" . ", ""),
    ],
)
def test_canonical_is_idempotent(phrase: str, expected: str) -> None:
    assert canonical(phrase) == expected
    assert canonical(canonical(phrase)) == expected
