"""Input tables: missing ones, what is wrong in them, and groups that the config counts on and no table has."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sociolect.common.digests import digest_of
from sociolect.common.errors import InputError
from sociolect.settings.config import Config, section
from sociolect.settings.corpus import IMPORT_KEYS
from sociolect.settings.faults import Fault

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ROWS", "WHOLE_BYTES", "table_faults"]

# tables of up to this size are read whole, of larger ones the first rows: a start must not take minutes
WHOLE_BYTES = 16_000_000
ROWS = 1000


def table_faults(config: Config, tables: Collection[str] | None = None) -> Iterator[Fault]:
    """Faults of the tables, and where all were read whole, of experiments and parents that name groups.

    One that is there is read, imported before or not; one that is gone is a fault, unless what was imported is of this
    table, by the same keys. Snakemake goes on in silence with what was imported of another one.

    Args:
        config: checked.
        tables: splits whose tables are read; of the others only that they are there is looked at. None: all, and then
            groups are looked at.
    """
    if config.corpus.source == "demo":
        return
    corpora: dict[str, pl.DataFrame] = {}
    for split, table in config.corpus.paths.items():
        path, names = Path(table), ("corpus", "paths", split)
        if not path.exists():
            if not _is_imported(table, split, config):
                yield Fault(
                    names,
                    f"{table}: no such file; put the table of the split {split} there (.parquet, .csv or .jsonl) with "
                    "the columns question_id, question, answer_id, answer, author, group (config/README.md, The input "
                    "table)",
                )
            continue
        if tables is not None and split not in tables:
            continue
        try:
            corpus = _read(path, split, config)
        except InputError as error:
            yield from (Fault(names, line) for line in str(error).splitlines())
            continue
        if corpus is not None:
            corpora[split] = corpus
    if tables is None and corpora.keys() == config.corpus.paths.keys():
        yield from _group_faults(corpora, config)


def _is_imported(table: str, split: str, config: Config) -> bool:
    """Whether the run has this very table, imported by the keys of this config."""
    imported = Path("results") / config.run / "corpus" / f"{split}.parquet"
    if not imported.is_file():
        return False
    from sociolect.common.artifacts import read_provenance

    try:
        made = read_provenance(imported)
    except InputError:
        return False
    keys = digest_of(section(config, "corpus", only=IMPORT_KEYS))
    return (made.get("table"), made.get("settings")) == (digest_of(str(Path(table))), keys)


def _read(path: Path, split: str, config: Config) -> pl.DataFrame | None:
    """The cleaned table; None of a large one, whose first rows are looked at."""
    # imported here: a run without tables does not wait for polars
    from sociolect.corpus.cleaning import clean_corpus
    from sociolect.corpus.reader import read_raw_corpus

    whole = path.stat().st_size <= WHOLE_BYTES
    raw = read_raw_corpus(path, None if whole else ROWS)
    return clean_corpus(raw, split, config.corpus, str(path))[0] if whole else None


def _group_faults(corpora: Mapping[str, pl.DataFrame], config: Config) -> Iterator[Fault]:
    from sociolect.corpus.experiments import experiment_faults, parent_faults
    from sociolect.corpus.groups import across_split_faults, group_sizes
    from sociolect.corpus.spellings import refuse_near_equal

    groups = set(chain.from_iterable(corpus["group"] for corpus in corpora.values()))
    for name, why in parent_faults(config.group_parents, groups):
        yield Fault(("group_parents", name), why)
    try:
        counts = [dict(corpus.group_by("group").len().iter_rows()) for corpus in corpora.values()]
        refuse_near_equal({name: sum(some.get(name, 0) for some in counts) for name in groups}, "corpus.paths")
    except InputError as error:
        yield Fault(("corpus", "paths"), str(error))
    yield from (Fault(("corpus", "paths"), why) for why in across_split_faults(corpora))
    large: dict[str, pl.DataFrame] = {}
    for split, corpus in corpora.items():
        minimum, sizes = getattr(config.sampling.minimum, split), group_sizes(corpus, split)
        reach = [group for group, size in sizes.items() if size >= minimum]
        if len(reach) < 2:
            listed = ", ".join(f"{group} {size}" for group, size in sizes.items())
            yield Fault(
                ("sampling", "minimum", split), f"{minimum}: fewer than two groups reach it ({listed}); lower it"
            )
        else:
            large[split] = corpus.filter(corpus["group"].is_in(reach))
    for name, why in experiment_faults(large, config.experiments):
        yield Fault(("experiments", name), why)
