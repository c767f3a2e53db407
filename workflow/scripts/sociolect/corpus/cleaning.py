"""Cleaning the corpus: repairs and exclusions, each counted in a funnel.

A fault that makes the table ambiguous is an error; an answer that is merely unusable is left out and listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError, refuse_all
from sociolect.common.schemas import CORPUS, CORPUS_FUNNEL
from sociolect.corpus.columns import IDS, REQUIRED, TEXTS
from sociolect.corpus.reader import read_raw_corpus
from sociolect.corpus.spellings import near_equal_faults
from sociolect.settings.corpus import CorpusSettings

# of a class of regular expressions: soft hyphen, zero-width space and joiner, marks of direction
INVISIBLE = "\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
# In the order of use. NFC comes last: taking an invisible character out can bring two together that compose.
_REPAIRS = (
    ("line breaks", r"\r\n|[\r\x0b\x0c\x85\u{2028}\u{2029}]", "\n"),
    ("spaces", r"[\p{Zs}--[\ ]]", " "),
    # controls but for line feed and tab, and what does not show
    ("control characters", rf"[[\p{{Cc}}--[\n\t]]{INVISIBLE}]", ""),
)
NFC, OUTER, INNER = "Unicode NFC", "outer white space", "blanks in ids"
REPAIRS = (*(rule for rule, _, _ in _REPAIRS), NFC, OUTER, INNER)
# an author of more of a group's answers than this is named
LARGE_SHARE = 0.2
BLANK, UNKNOWN = "blank row", "unknown author"
EXCLUSIONS = ("empty", "too short", "too long", "duplicate in its group")


def import_corpus(path: Path, split: str, settings: CorpusSettings) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """Read and clean one table.

    Args:
        path: .parquet, .csv or .jsonl, see `read_raw_corpus`.
        split: name of the split, for the funnel.
        settings: shortest and longest answer, in characters after the repairs.

    Returns:
        The corpus (schema CORPUS, sorted by answer_id), its funnel (schema CORPUS_FUNNEL), and what is worth saying.

    Raises:
        InputError: the table is unreadable or ambiguous, or nothing is left of it; see `read_raw_corpus` and
            `clean_corpus`.
    """
    raw = read_raw_corpus(path)
    corpus, funnel = clean_corpus(raw, split, settings, str(path))
    return corpus, funnel, author_notes(raw, corpus, settings)


def clean_corpus(
    raw: pl.DataFrame, split: str, settings: CorpusSettings, where: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Repair the texts, refuse what is ambiguous, leave out what is unusable.

    Args:
        raw: the columns of CORPUS as text.
        split: name of the split, for the funnel.
        settings: shortest and longest answer, in characters.
        where: file name for the messages.

    Returns:
        The corpus, sorted by answer_id, and a funnel with one row per rule, also for a rule that met nothing.

    Raises:
        InputError: a required field is empty, an answer_id repeats (within a group or over groups), a question_id
            has two texts, two groups have near-equal names, or no answer is left.
    """
    funnel = [_step(split, "read", raw.head(0), raw.height)]
    rows = raw.with_row_index("row", offset=1)
    blank = pl.all_horizontal(pl.col(raw.columns).fill_null("") == "")
    frame = rows.filter(~blank)
    funnel.append(_step(split, BLANK, rows.filter(blank), frame.height))
    frame, repairs = _repair(frame, split)
    funnel += repairs
    # after the repairs: a mark that shows nothing must not make one person of all the unknown
    unknown = _is_missing("author", settings)
    funnel.append(_step(split, UNKNOWN, frame.filter(unknown), frame.height))
    frame = frame.with_columns(author=pl.when(unknown).then(None).otherwise("author"))
    refuse_all(_faults(frame, where, settings))
    frame = frame.drop("row").sort("answer_id")
    length = pl.col("answer").str.len_chars()
    # sorted by answer_id: the smallest id of the duplicates stays
    unusable = (pl.col("answer") == "", length < settings.min_chars, length > settings.max_chars)
    for rule, reject in zip(EXCLUSIONS, (*unusable, ~pl.struct("group", "answer").is_first_distinct()), strict=True):
        left = frame.filter(~reject)
        funnel.append(_step(split, rule, frame.filter(reject), left.height))
        frame = left
    if frame.is_empty():
        counts = ", ".join(f"{row['rule']}: {row['n_removed']}" for row in funnel[-len(EXCLUSIONS) :])
        raise InputError(
            f"{where}: no answer is left of {raw.height} ({counts}); "
            "check the column answer, or change corpus.min_chars and corpus.max_chars"
        )
    return check_table(frame, CORPUS, where), CORPUS_FUNNEL.frame(funnel)


def author_notes(raw: pl.DataFrame, corpus: pl.DataFrame, settings: CorpusSettings) -> list[str]:
    """What is worth knowing of the authors: how many are unknown by which name, and who wrote much of a group.

    Args:
        raw: the columns of CORPUS as text, as they were read.
        corpus: the same, cleaned.
        settings: what stands for an unknown author.
    """
    authors = raw.select("author")
    for rule in REPAIRS:
        authors = authors.with_columns(_repaired(rule, "author"))
    spelled = authors["author"].value_counts().drop_nulls().filter(_is_missing("author", settings))
    names = ", ".join(f"{name!r} {count}" for name, count in sorted(spelled.iter_rows(), key=lambda r: (-r[1], r[0])))
    notes = [f"unknown authors: {names} (corpus.missing_values)"] if names else []
    return notes + [
        f"author {author!r} wrote {n} of the {size} answers of group {group!r}"
        for group, author, n, size in large_authors(corpus)
    ]


def large_authors(corpus: pl.DataFrame) -> list[tuple[str, str, int, int]]:
    """(group, author, answers, answers of the group) of authors who wrote more than LARGE_SHARE of a group."""
    shares = corpus.drop_nulls("author").group_by("group", "author").len()
    sizes = corpus.group_by("group").agg(size=pl.len())
    large = shares.join(sizes, on="group").filter(pl.col("len") > LARGE_SHARE * pl.col("size"))
    return large.sort("group", "len", "author", descending=[False, True, False]).rows()


def _is_missing(name: str, settings: CorpusSettings) -> pl.Expr:
    return pl.col(name).str.to_lowercase().is_in([value.lower() for value in settings.missing_values])


def _repair(raw: pl.DataFrame, split: str) -> tuple[pl.DataFrame, list[dict[str, object]]]:
    # a null answer is an empty one; a null question stays null and is refused later
    frame = raw.with_columns(pl.col("answer").fill_null(""))
    steps: list[dict[str, object]] = []
    for rule in REPAIRS:
        columns = IDS if rule == INNER else IDS + TEXTS
        after = frame.with_columns(_repaired(rule, name).alias(name) for name in columns)
        changed = pl.any_horizontal((frame[name] != after[name]).fill_null(False) for name in columns)
        steps.append(_step(split, rule, frame.filter(changed), frame.height))
        frame = after
    # an id of invisible characters alone is none
    return frame.with_columns(pl.when(pl.col(name) != "").then(name).alias(name) for name in IDS), steps


def _repaired(rule: str, name: str) -> pl.Expr:
    column = pl.col(name)
    if rule == NFC:
        return column.str.normalize("NFC")
    if rule == OUTER:
        return column.str.strip_chars()
    if rule == INNER:
        return column.str.replace_all(r"\s+", " ")
    pattern, replacement = next((old, new) for name, old, new in _REPAIRS if name == rule)
    return column.str.replace_all(pattern, replacement)


def _step(split: str, rule: str, met: pl.DataFrame, left: int) -> dict[str, object]:
    example = met["answer_id"].drop_nulls().min() if met.height else None
    return {"split": split, "rule": rule, "n_removed": met.height, "n_left": left, "example": example}


def _faults(frame: pl.DataFrame, where: str, settings: CorpusSettings) -> Iterator[str]:
    """All that makes the table ambiguous, a line for each kind."""
    for name in REQUIRED:
        empty = frame[name].is_null() | (frame[name] == "") if name == "question" else frame[name].is_null()
        if empty.any():
            row = frame["row"][int(empty.arg_max() or 0)]
            yield (
                f"{where}: row {row}, column {name!r}: the field is empty ({int(empty.sum())} such rows); "
                f"write the {name.replace('_', ' ')} there or take the row out"
            )
    frame = frame.drop_nulls(REQUIRED).filter(pl.col("question") != "")
    nameless = frame.filter(_is_missing("group", settings))
    if nameless.height:
        yield (
            f"{where}: row {nameless['row'][0]}, column 'group': {nameless['group'][0]!r} stands for a missing value "
            f"({nameless.height} such rows); name the group, take the rows out, or take it off corpus.missing_values"
        )
    yield from near_equal_faults(dict(frame.group_by("group").len().iter_rows()), where)
    repeated = frame.filter(pl.col("answer_id").is_duplicated())
    if repeated.height:
        yield _repeated_answers(repeated, where)
    texts = frame.unique(["question_id", "question"], keep="first", maintain_order=True)
    twice = texts.filter(pl.col("question_id").is_duplicated()).sort("row")
    if twice.height:
        question = twice["question_id"][0]
        same = twice.filter(pl.col("question_id") == question)
        yield (
            f"{where}: question_id {question!r} has two texts, in row {same['row'][0]} and row {same['row'][1]}; "
            "give each text its own question_id"
        )


def _repeated_answers(repeated: pl.DataFrame, where: str) -> str:
    groups = repeated.filter(pl.col("group").n_unique().over("answer_id") > 1).sort("row")
    chosen = (groups if groups.height else repeated.sort("row"))["answer_id"][0]
    same = repeated.filter(pl.col("answer_id") == chosen).sort("row")
    rows = " and ".join(str(row) for row in same["row"].head(2))
    if groups.height:
        names = " and ".join(repr(name) for name in same["group"].unique().sort())
        return (
            f"{where}: answer_id {chosen!r} is in two groups, {names} (rows {rows}); "
            "keep it in one, or give each answer its own answer_id"
        )
    return (
        f"{where}: answer_id {chosen!r} repeats (rows {rows}; {repeated['answer_id'].n_unique()} such ids); "
        "give each answer its own answer_id"
    )
