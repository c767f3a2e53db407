"""The kinds of dumps: how each is read, what its markup is, and which of its questions are put to a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sociolect.common.errors import InputError
from sociolect.dumps.mapped import read_mapped, table_files, table_name
from sociolect.dumps.posts import Post, Unread
from sociolect.dumps.reddit import read_forum
from sociolect.dumps.stackexchange import posts_file, read_site, site_of
from sociolect.dumps.table_heads import refuse_headless

__all__ = ["KINDS_OF_DUMPS", "KindOfDump", "Source", "sources_of"]

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


@dataclass(frozen=True)
class KindOfDump:
    """How one kind of dump is read.

    Args:
        markup: of its texts: html, markdown or plain.
        askx: pattern of the sites and forums whose questions are put to a group; empty for none.
        sources: the files of the given paths, with `columns` and `tags` of `sources_of`.
    """

    markup: str
    askx: str
    sources: Callable[[Sequence[Path], Mapping[str, str], Collection[str] | None], list[Source]]


def sources_of(
    kind: str, paths: Sequence[Path], columns: Mapping[str, str], tags: Collection[str] | None
) -> list[Source]:
    """The files of a dump.

    Args:
        kind: of dump, a name in KINDS_OF_DUMPS.
        paths: files, or folders of a site or a dataset.
        columns: field -> column, of a table.
        tags: that are the groups of a site; None where the site is the group.

    Raises:
        InputError: a path does not exist, a folder has no such file, or two sites have the same name.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; give the files of the dump")
    return KINDS_OF_DUMPS[kind].sources(paths, columns, tags)


def _sites(paths: Sequence[Path], columns: Mapping[str, str], tags: Collection[str] | None) -> list[Source]:
    files = [posts_file(path) for path in paths]
    _refuse_same([(site_of(file), file) for file in files])
    return [Source(file, partial(read_site, file, tags)) for file in files]


def _tables(paths: Sequence[Path], columns: Mapping[str, str], tags: Collection[str] | None) -> list[Source]:
    files = [(table_name(path), file) for path in paths for file in table_files(path)]
    marks = _told_apart([table_name(file) for _, file in files])
    return [
        Source(file, partial(read_mapped, file, name, columns, mark))
        for (name, file), mark in zip(files, marks, strict=True)
    ]


def _told_apart(names: Sequence[str]) -> list[str]:
    """The names, the second of those that are equal with a 2."""
    seen = Counter[str]()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return found


def _headed_tables(paths: Sequence[Path], columns: Mapping[str, str], tags: Collection[str] | None) -> list[Source]:
    sources = _tables(paths, columns, tags)
    for source in sources:
        refuse_headless(source.path, columns)
    return sources


def _each(read: Callable[[Path], Iterator[Post | Unread]]) -> Callable[..., list[Source]]:
    """The paths themselves, each read alone."""
    return lambda paths, columns, tags: [Source(path, partial(read, path)) for path in paths]


def _refuse_same(named: Sequence[tuple[str, Path]]) -> None:
    files: dict[str, Path] = {}
    for site, file in named:
        if other := files.get(site):
            raise InputError(
                f"{file}: the site {site} is in {other} too; give it once, or rename its folder (a site is called as "
                "the folder of its Posts.xml)"
            )
        files[site] = file


KINDS_OF_DUMPS: Mapping[str, KindOfDump] = {
    # who opens a question on a site puts it to those who are there; of forums and tables the name must say so
    "stackexchange": KindOfDump("html", "*", _sites),
    "reddit": KindOfDump("markdown", "ask*", _each(read_forum)),
    "table": KindOfDump("plain", "", _headed_tables),
}
