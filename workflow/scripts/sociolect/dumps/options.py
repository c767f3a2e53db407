"""What is made of the posts of a dump."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sociolect.dumps.splits import SPLITS, Single

__all__ = ["ImportOptions"]


@dataclass(frozen=True)
class ImportOptions:
    """What is made of the posts.

    Args:
        markup: html, markdown or plain.
        askx: patterns of the sites and forums whose questions are put to a group, in small letters.
        salt: of the authors' ids.
        groups: that are kept, by their new names; none keeps all.
        rename: group -> its new name.
        splits: that are made.
        single: see `make_splits`.
        without: tags whose text is left out.
        masks: kinds of names and numbers that are masked.
    """

    markup: str
    askx: Sequence[str]
    salt: str
    groups: Sequence[str] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    splits: Sequence[str] = SPLITS
    single: Single = "best"
    without: Sequence[str] = ("pre", "blockquote")
    masks: Sequence[str] = ("email", "phone", "user")
