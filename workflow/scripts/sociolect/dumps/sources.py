"""The kinds of dumps: how each is read, what its markup is, and which of its questions are put to a group."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sociolect.common.errors import InputError
from sociolect.dumps.mapped import read_mapped, table_files, table_name
from sociolect.dumps.posts import Post, Unread
from sociolect.dumps.reddit import read_forum
from sociolect.dumps.stackexchange import posts_file, read_site, site_of

__all__ = ["ASKX", "KINDS_OF_DUMPS", "MARKUP", "KindOfDump", "Source", "sources_of"]

KindOfDump = Literal["stackexchange", "reddit", "table"]
KINDS_OF_DUMPS: tuple[KindOfDump, ...] = ("stackexchange", "reddit", "table")
MARKUP: Mapping[KindOfDump, str] = {"stackexchange": "html", "reddit": "markdown", "table": "plain"}
# who opens a question on a site puts it to those who are there; of forums and tables the name must say so
ASKX: Mapping[KindOfDump, str] = {"stackexchange": "*", "reddit": "ask*", "table": ""}
# how much larger texts are than their file
_GROWTH = {".parquet": 4, ".gz": 6, ".bz2": 8, ".xz": 10, ".zst": 10}


@dataclass(frozen=True)
class Source:
    """A file of a dump.

    Args:
        path: of the file.
        posts: opens it, from its beginning.
    """

    path: Path
    posts: Callable[[], Iterator[Post | Unread]]

    @property
    def text_size(self) -> int:
        """About how many bytes its texts have."""
        return self.path.stat().st_size * _GROWTH.get(self.path.suffix.lower(), 1)


def sources_of(
    kind: KindOfDump, paths: Sequence[Path], columns: Mapping[str, str], tags: Collection[str] | None
) -> list[Source]:
    """The files of a dump.

    Args:
        kind: of dump.
        paths: files, or folders of a site or a dataset.
        columns: field -> column, of a table.
        tags: that are the groups of a site; None where the site is the group.

    Raises:
        InputError: a path does not exist, a folder has no such file, or two sites have the same name.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; give the files of the dump")
    if kind == "stackexchange":
        files = [posts_file(path) for path in paths]
        _refuse_same([(site_of(file), file) for file in files])
        return [Source(file, lambda file=file: read_site(file, tags)) for file in files]  # type: ignore[misc]
    if kind == "reddit":
        return [Source(file, lambda file=file: read_forum(file)) for file in paths]  # type: ignore[misc]
    return [
        Source(file, lambda file=file, path=path: read_mapped(file, table_name(path), columns))  # type: ignore[misc]
        for path in paths
        for file in table_files(path)
    ]


def _refuse_same(named: Sequence[tuple[str, Path]]) -> None:
    files: dict[str, Path] = {}
    for site, file in named:
        if other := files.get(site):
            raise InputError(
                f"{file}: the site {site} is in {other} too; give it once, or rename its folder (a site is called as "
                "the folder of its Posts.xml)"
            )
        files[site] = file
