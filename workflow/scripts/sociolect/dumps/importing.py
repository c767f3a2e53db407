"""From the posts of a dump to the tables of the splits, in memory that does not grow with the dump.

Posts are cleaned one at a time and put into buckets by question, on the disk; then one bucket after the other, of large
ones one piece, is joined and written.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from sociolect.common.artifacts import table_writer
from sociolect.common.errors import InputError
from sociolect.common.schemas import CORPUS
from sociolect.dumps.clean_post import QUESTIONS, clean_post
from sociolect.dumps.funnel import Funnel, Step, as_rows
from sociolect.dumps.options import ImportOptions
from sociolect.dumps.posts import Rule, Unread
from sociolect.dumps.sources import Source
from sociolect.dumps.spill import Spill, buckets_for
from sociolect.dumps.splits import rule_of, split_bucket
from sociolect.dumps.staged import PROGRAM, publish, refuse_present, staging_folder

__all__ = ["Imported", "import_dump"]

log = logging.getLogger("sociolect")
# of the lines of a file, that may be cut or otherwise unreadable
_BAD_SHARE, _BAD_LINES = 0.01, 10
_INTERVAL = 10.0
Sizes = dict[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True)
class Imported:
    """What came out.

    Args:
        tables: their paths.
        steps: the funnel.
        masked: kind -> how many were masked.
        sizes: (split, group) -> answers and questions.
        unread: the first lines that could not be read, and why.
        gone: tables of the import before that have no other in their place.
    """

    tables: list[Path]
    steps: list[Step]
    masked: dict[str, int]
    sizes: Sizes
    unread: list[str]
    gone: list[Path]


def import_dump(
    sources: Sequence[Source], record: Path, options: ImportOptions, said: Mapping[str, Any], replace: bool = False
) -> Imported:
    """Write `<split>.parquet` of each split that has answers, and the funnel beside them.

    Args:
        sources: the files of the dump.
        record: a JSON file for the funnel, in the folder of the tables.
        options: what is made of the posts.
        said: what to keep of how this was called.
        replace: whether tables of these splits that are there already go.

    Raises:
        InputError: a table is there already or would stay beside those of another import, another import writes here,
            a file cannot be read or more than one in a hundred of its lines cannot, or no answer is left.
    """
    folder = record.parent
    with staging_folder(folder) as staging:
        refuse_present(folder, options.splits, replace)
        spill = Spill(staging / "posts", buckets_for(sum(source.text_size for source in sources)))
        reading, masked, unread = Funnel(), Counter[str](dict.fromkeys(options.masks, 0)), list[str]()
        for source in sources:
            unread += _read(source, spill, options, reading, masked)
        joining, funnels = Funnel(), {split: Funnel() for split in options.splits}
        sizes = _write(spill, staging, options, joining, funnels, {"program": PROGRAM, **said})
        steps = _steps(reading, joining, funnels, sizes, options)
        if not sizes:
            counts = "; ".join(f"{step.rule}: {step.n}" for step in steps if step.split == "all" and step.n)
            counts += f"; {unread[0].removeprefix(f'{sources[0].path}: ')}" if unread else ""
            raise InputError(
                f"{', '.join(str(source.path) for source in sources)}: no answer is left ({counts or 'nothing read'}); "
                "look at the files and at the options"
            )
        kept = {**said, "funnel": as_rows(steps), "masked": dict(masked), "unread": unread}
        tables, gone = publish(staging, folder, record, kept, options.splits)
        return Imported(tables, steps, dict(masked), sizes, unread, gone)


def _read(source: Source, spill: Spill, options: ImportOptions, funnel: Funnel, masked: Counter[str]) -> list[str]:
    """Clean the posts of a file and put those that are left into buckets; the first lines that cannot be read."""
    posts = bad = 0
    unread: list[str] = []
    spoken = time.monotonic()
    for posts, post in enumerate(source.posts(), start=1):
        place = f"{source.path}:{post.line}"
        funnel.add("read")
        if isinstance(post, Unread):
            bad += 1
            unread += [f"{source.path}: line {post.line}: {post.why}"] * (bad <= _BAD_LINES)
            funnel.add(Rule.UNREAD, example=place)
            if posts > _BAD_LINES / _BAD_SHARE:
                _refuse_unread(posts, bad, unread)
            continue
        row, rule = clean_post(post, options, masked)
        funnel.add(rule, example=place)
        if row:
            funnel.add(Rule.UNKNOWN, row["answer"] is not None and row["author"] is None, place)
            spill.put({**row, "place": place})
        if time.monotonic() - spoken > _INTERVAL:
            spoken = time.monotonic()
            log.info("%s: %s posts read", source.path, f"{posts:,}")
    _refuse_unread(posts, bad, unread)
    return unread


def _refuse_unread(posts: int, bad: int, unread: Sequence[str]) -> None:
    if bad > max(_BAD_LINES, _BAD_SHARE * posts) or 0 < bad == posts:
        raise InputError(
            f"{unread[0]} ({bad} of {posts} lines cannot be read); is it a whole file of this kind, in UTF-8? Take it "
            "anew, or give FROM another kind"
        )


def _write(
    spill: Spill,
    staging: Path,
    options: ImportOptions,
    joining: Funnel,
    funnels: dict[str, Funnel],
    provenance: dict[str, Any],
) -> Sizes:
    """Join the buckets one by one and write the tables; (split, group) -> answers and questions."""
    answers, questions = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    with _writers(staging, provenance) as write:
        for bucket in spill.buckets():
            # a question is in one bucket, but may be in several pieces of it
            asked: set[tuple[str, str, str]] = set()
            for tables in split_bucket(bucket, options.single, joining, funnels):
                for split, table in tables.items():
                    write(split, table)
                    for group, n_answers in table.group_by("group").len().iter_rows():
                        answers[split, group] += n_answers
                    asked |= {(split, *row) for row in table.select("group", "question_id").unique().iter_rows()}
            questions.update((split, group) for split, group, _ in asked)
    place = {split: number for number, split in enumerate(options.splits)}
    order = sorted(answers, key=lambda cell: (place[cell[0]], -answers[cell], cell[1]))
    return {cell: (answers[cell], questions[cell]) for cell in order}


@contextmanager
def _writers(folder: Path, provenance: dict[str, Any]) -> Iterator[Callable[[str, pl.DataFrame], None]]:
    """Write a split's table frame by frame; one without rows does not appear."""
    with ExitStack() as stack:
        writers: dict[str, Callable[[pl.DataFrame], None]] = {}

        def write(split: str, table: pl.DataFrame) -> None:
            if table.height and split not in writers:
                path = folder / f"{split}.parquet"
                writers[split] = stack.enter_context(table_writer(path, CORPUS, provenance))
            if table.height:
                writers[split](table)

        yield write


def _steps(
    reading: Funnel, joining: Funnel, funnels: Mapping[str, Funnel], sizes: Sizes, options: ImportOptions
) -> list[Step]:
    """The funnel: what is read, what every rule leaves, and what each split has."""
    read = reading.counts["read"]
    steps = [Step("all", "read", "posts, or answers of a table", read, read)]
    steps += reading.steps("all", read, (*Rule.READING, QUESTIONS), aside=[QUESTIONS])
    steps.append(reading.step("all", "kept", Rule.UNKNOWN, steps[-1].left))
    steps += joining.steps("all", steps[-1].left, Rule.JOINING)
    joined = steps[-1].left
    for split, funnel in funnels.items():
        written = sum(answers for (name, _), (answers, _) in sizes.items() if name == split)
        steps += funnel.steps(split, joined, [rule_of(split, options.single)])
        steps.append(Step(split, "written", f"{split}.parquet", written, written))
    return steps
