"""Names that are one name, and such as only look alike."""

from __future__ import annotations

import pytest

from sociolect.common.errors import InputError
from sociolect.corpus.spellings import near_equal, refuse_near_equal


@pytest.mark.parametrize(
    "spellings",
    [
        ("Health", "health"),
        ("home_office", "home office", "Home-Office", "homeoffice"),
        ("St. Gallen", "St Gallen"),
        ("Straße", "STRASSE"),
        ("farsi", "far\u200csi"),
        ("\uff28ealth", "Health"),
        ("top 10", "top_10"),
    ],
)
def test_spellings_of_one_name(spellings: tuple[str, ...]) -> None:
    assert near_equal([*spellings, "other"]) == [sorted(spellings)]


@pytest.mark.parametrize("names", [("C", "C++", "C#"), ("A", "A+"), ("1-2", "12"), ("u18", "u 80"), ("Santa", "Santo")])
def test_names_that_are_several(names: tuple[str, ...]) -> None:
    assert near_equal(names) == []


def test_all_are_listed_with_their_answers() -> None:
    with pytest.raises(InputError) as caught:
        refuse_near_equal({"Health": 40, "law": 7, "health": 25, "Law": 1}, "t.csv")
    assert "t.csv: column 'group': 'Health' (40 answers) and 'health' (25 answers); 'Law' (1 answers) and 'law' (7" in (
        str(caught.value)
    )
