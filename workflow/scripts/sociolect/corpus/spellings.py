"""Names of groups that are one name in two spellings: `Health` and `health`, `home_office` and `home office`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from sociolect.common.errors import refuse_all

__all__ = ["near_equal", "near_equal_faults", "refuse_near_equal"]

_SEPARATORS = r"[\s_.\-\u2010-\u2015]+"
_BETWEEN_LETTERS = re.compile(rf"(?<=[^\W\d_]){_SEPARATORS}(?=[^\W\d_])")
_ANY = re.compile(_SEPARATORS)


def near_equal(names: Iterable[str]) -> list[list[str]]:
    """Names that differ in case, in blanks, underscores, hyphens and dots, or in characters that show nothing.

    Returns:
        Each set of such names, sorted. Signs such as + and # tell names apart, and so does what parts digits (1-2, 12).
    """
    spelled: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        spelled.setdefault(_plain(name), []).append(name)
    return [same for same in spelled.values() if len(same) > 1]


def near_equal_faults(counts: Mapping[str, int], where: str) -> Iterator[str]:
    """One fault with all names of groups that are near equal, if there are any.

    Args:
        counts: answers of each group.
        where: what to call the table.
    """
    if pairs := list(_shown(counts)):
        yield (
            f"{where}: column 'group': {'; '.join(pairs)}: the same name in two spellings; write one of them, or "
            "other names where they are two groups"
        )


def refuse_near_equal(counts: Mapping[str, int], where: str) -> None:
    """Refuse names of groups that are near equal; see `near_equal_faults`.

    Raises:
        InputError: with all such names and their answers.
    """
    refuse_all(near_equal_faults(counts, where))


def _shown(counts: Mapping[str, int]) -> Iterator[str]:
    for same in near_equal(counts):
        yield " and ".join(f"{name!r} ({counts[name]} answers)" for name in same)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    return _ANY.sub(" ", _BETWEEN_LETTERS.sub("", seen)).strip()
