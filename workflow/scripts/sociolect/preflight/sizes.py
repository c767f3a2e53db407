"""Sizes for a new run, of the tables that it will read: which groups take part, and what is asked of what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sociolect.common.errors import InputError
from sociolect.settings.corpus import CorpusSettings

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Sizes", "experiments_for", "find_tables", "minimum_for", "read_sizes"]

# split -> group -> answers, or in askx questions
Sizes = Mapping[str, Mapping[str, int]]
SPLITS = ("single", "multi", "askx")
_ENDINGS = (".parquet", ".csv", ".jsonl", ".ndjson", ".csv.gz", ".jsonl.gz", ".ndjson.gz")
# of a smaller group val and test have fewer than three answers (sampling.parts, sampling.min_part)
FEWEST = 20
# of the largest balanced draw, what is enough where it takes more groups
KEPT = 0.75


def find_tables(folder: Path) -> dict[str, Path]:
    """Split -> its table in a folder, in the fixed order of the splits.

    Raises:
        InputError: there is none, or two of one split.
    """
    found: dict[str, Path] = {}
    for split in SPLITS:
        there = [path for ending in _ENDINGS if (path := folder / f"{split}{ending}").is_file()]
        if len(there) > 1:
            raise InputError(f"{there[0]} and {there[1]}: two tables of the split {split}; keep one of them")
        if there:
            found[split] = there[0]
    if not found:
        raise InputError(
            f"{folder}: no single, multi or askx ({', '.join(_ENDINGS)}) in this folder; put a table there, or make it "
            "of a dump (make import)"
        )
    return found


def read_sizes(tables: Mapping[str, Path], settings: CorpusSettings) -> dict[str, dict[str, int]]:
    """What `sampling.minimum` counts of each group, the largest first, as the import of a run will find it.

    Raises:
        InputError: a table that a run could not read.
    """
    from sociolect.corpus.cleaning import clean_corpus
    from sociolect.corpus.groups import group_sizes
    from sociolect.corpus.reader import read_raw_corpus

    def sizes_of(split: str, path: Path) -> dict[str, int]:
        corpus: pl.DataFrame = clean_corpus(read_raw_corpus(path), split, settings, str(path))[0]
        return dict(sorted(group_sizes(corpus, split).items(), key=lambda item: (-item[1], item[0])))

    return {split: sizes_of(split, path) for split, path in tables.items()}


def minimum_for(sizes: Mapping[str, int], where: str) -> int:
    """A minimum that two groups reach, and most where they are large enough.

    Among these the one with the largest balanced draw, as many answers of each group; or one that takes more groups for
    at most a quarter of the answers, as groups cannot be had otherwise. Rounded down to two digits.

    Args:
        sizes: of the groups.
        where: what to call the table.

    Raises:
        InputError: fewer than two groups, or the second largest has fewer than FEWEST.
    """
    largest = sorted(sizes.values(), reverse=True)
    draws = {count: number * count for number, count in enumerate(largest, start=1) if number > 1 and count >= FEWEST}
    if not draws:
        listed = ", ".join(f"{group} {size}" for group, size in sizes.items())
        raise InputError(f"{where}: two groups of {FEWEST} or more are needed; it has {listed}")
    most = {count: drawn for count, drawn in draws.items() if 2 * sum(size >= count for size in largest) > len(largest)}
    enough = max((most or draws).values()) * KEPT
    chosen = min(count for count, drawn in (most or draws).items() if drawn >= enough)
    step = 10 ** max(0, len(str(chosen)) - 2)
    return chosen // step * step


def experiments_for(sizes: Sizes, minima: Mapping[str, int]) -> dict[str, tuple[str, str]]:
    """Experiment -> (split that is fitted on, split that is asked), of the splits that are there.

    The questions of askx are asked of a fit on multi where they have two groups in common.
    """
    taking = {split: {group for group, size in sizes[split].items() if size >= minima[split]} for split in sizes}
    found = {"single": ("single", "single")} if "single" in taking else {}
    if len(taking.get("multi", set()) & taking.get("askx", set())) > 1:
        return {**found, "askx": ("multi", "askx")}
    return {**found, **{split: (split, split) for split in ("multi", "askx") if split in taking}}
