"""The flags of `make import`, and what they say."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from sociolect.common.errors import InputError
from sociolect.dumps.mapped import FIELDS
from sociolect.dumps.markup import KINDS
from sociolect.dumps.options import ImportOptions
from sociolect.dumps.personal import MASKS
from sociolect.dumps.sources import KINDS_OF_DUMPS, Source
from sociolect.dumps.splits import SPLITS

__all__ = ["add_flags", "options_of", "said_by"]

_TAGS = {"code": "pre", "quotes": "blockquote"}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    add = parser.add_argument
    add("kind", choices=tuple(KINDS_OF_DUMPS), help="of dump")
    add(
        "files", type=Path, nargs="+", help="Posts.xml or folders of sites; submissions and comments; tables or folders"
    )
    add("--out", type=Path, default=Path("data"), help="folder of the tables")
    add("--replace", action="store_true", help="tables of these splits that are there already go")
    add("--splits", default=",".join(SPLITS), help="that are made")
    add("--map", nargs="+", default=[], metavar="field=column", help=f"of a table; fields: {', '.join(FIELDS)}")
    add("--by", choices=("site", "tags"), default="site", help="Stack Exchange: what a group is")
    add("--groups", type=_listed, default=[], help="that are kept, by their new names; with --by tags, the tags")
    add("--rename", nargs="+", default=[], metavar="group=name", help="other names for groups")
    add("--askx", help="patterns of sites and forums whose questions are put to a group, such as 'ask*'; '' for none")
    add("--single", choices=("best", "only"), default="best", help="the best answer of each question, or only answers")
    add("--markup", choices=tuple(KINDS), help="of the texts, where it is not that of the kind of dump")
    add("--keep", default="", help="what else stays in the texts: code, quotes")
    add("--mask", default=",".join(MASKS), help="what is masked; none for nothing")
    add("--salt", default="", help="of the authors' ids; a random one where there is none")


def options_of(given: argparse.Namespace, salt: str) -> ImportOptions:
    """The options of the flags.

    Raises:
        InputError: a word that a flag does not know.
    """
    kind = KINDS_OF_DUMPS[given.kind]
    kept = _known("--keep", _listed(given.keep), _TAGS)
    return ImportOptions(
        markup=given.markup or kind.markup,
        askx=_listed((kind.askx if given.askx is None else given.askx).lower()),
        salt=salt,
        # tags have chosen already, by their old names
        groups=[] if given.by == "tags" else given.groups,
        rename=_renamed(given.rename),
        splits=[split for split in SPLITS if split in _known("--splits", _listed(given.splits), SPLITS)],
        single=given.single,
        without=[tag for word, tag in _TAGS.items() if word not in kept],
        masks=_known("--mask", [word for word in _listed(given.mask) if word != "none"], MASKS),
    )


def said_by(given: argparse.Namespace, sources: Sequence[Source]) -> dict[str, Any]:
    """What to keep of a call: its files and flags, but for the salt, with which names can be tried."""
    flags = {name: value for name, value in vars(given).items() if name not in ("salt", "files", "out", "replace")}
    return {"files": [str(source.path) for source in sources], "salted": "given" if given.salt else "random", **flags}


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _known(flag: str, words: list[str], known: Collection[str]) -> list[str]:
    if odd := [word for word in words if word not in known]:
        raise InputError(f"{flag}: there is no {odd[0]!r}; write some of {', '.join(known)}, separated by commas")
    return words


def _renamed(words: Sequence[str]) -> dict[str, str]:
    pairs = dict(word.partition("=")[::2] for word in words)
    if odd := [group for group, name in pairs.items() if not group or not name]:
        raise InputError(f"--rename {odd[0]}: write group=name, such as historians=history")
    return pairs
