"""Tagging texts with spaCy: the one module that needs it, and only when a tagger is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from sociolect.common.digests import digest_of
from sociolect.common.errors import InputError
from sociolect.common.pieces import PieceStore, bucket_of
from sociolect.common.progress import Report, within
from sociolect.common.schemas import TAGGED
from sociolect.settings.syntax import TAGGERS
from sociolect.syntax.posnoise import KEPT, SYMBOLS, noise

__all__ = ["Tagger", "open_tagger", "tag_buckets", "tag_texts", "tagging_by"]

# the parser takes about 1 GB for 100,000 characters at once
MAX_CHARS = 100_000
_BATCH = 64  # texts
Write = Callable[[pl.DataFrame], None]


@dataclass(frozen=True)
class Tagger:
    """A spaCy pipeline, and a digest of all that decides what it says."""

    pipeline: Any
    key: str
    max_chars: int = MAX_CHARS


@dataclass
class Counts:
    """Texts tagged now (not taken from the cache), cut to the longest that is tagged, and without a word."""

    n_tagged: int = 0
    n_cut: int = 0
    n_empty: int = 0


def open_tagger(name: str) -> Tagger:
    """Load a tagger: parts of speech and dependencies, without names of entities and lemmas.

    Args:
        name: config key syntax.tagger.

    Raises:
        InputError: spaCy or the model is not installed.
    """
    package = TAGGERS[name]
    try:
        import spacy

        pipeline = spacy.load(package, exclude=["ner", "lemmatizer", "senter"])
        versions = [version("spacy"), version(package)]
    except (ImportError, OSError, PackageNotFoundError) as error:
        raise InputError(
            f"syntax.tagger is {name}, and it cannot be loaded ({error}): run `make setup-syntax`"
        ) from error
    kept = {pos: sorted(words) for pos, words in KEPT.items()}
    return Tagger(pipeline, digest_of([package, versions, SYMBOLS, kept, MAX_CHARS]))


def tag_texts(
    texts: Sequence[str], tagger: Tagger, counts: Counts | None = None, progress: Report | None = None
) -> pl.DataFrame:
    """The columns of schema TAGGED but for the ids, one row per text, in the order given.

    White space is no token: what hangs on it is hung higher, and a sentence that it opens begins with the next token.
    A text longer than `tagger.max_chars` is cut there, between words; one without a token has empty lists.
    """
    counts = counts if counts is not None else Counts()
    rows = []
    for done, document in enumerate(
        tagger.pipeline.pipe((_cut(text, tagger.max_chars, counts) for text in texts), batch_size=_BATCH), start=1
    ):
        rows.append(_row(document))
        counts.n_empty += not rows[-1]["pos"]
        if progress is not None and (done % _BATCH == 0 or done == len(texts)):
            progress(done, len(texts))
    counts.n_tagged += len(rows)
    return pl.DataFrame(rows, schema={n: t for n, t in TAGGED.types().items() if n != "answer_id"})


def tagging_by(name: str) -> Callable[[Sequence[str]], pl.DataFrame] | None:
    """What tags texts as they come; None where the config key syntax.tagger is none.

    Raises:
        InputError: as `open_tagger`.
    """
    return None if name == "none" else partial(tag_texts, tagger=open_tagger(name))


def tag_buckets(
    cache: Path,
    answers: pl.DataFrame,
    n_buckets: int,
    tagger: Tagger,
    write: Write,
    progress: Report | None = None,
) -> Counts:
    """Tag answers bucket by bucket; a bucket that was tagged before, of the same texts by the same tagger, is taken.

    Args:
        cache: folder of the buckets.
        answers: answer_id and answer, in any order.
        n_buckets: number of buckets; an answer's is a stable hash of its id.
        tagger: from `open_tagger`.
        write: takes the buckets' tables, of schema TAGGED, one after the other.
        progress: called with answers done and total.
    """
    store = PieceStore(cache, tagger.key, TAGGED)
    counts, done, kept = Counts(), 0, 0
    number = pl.Series("bucket", [bucket_of(n_buckets, i) for i in answers["answer_id"]], dtype=pl.Int64)
    parts = answers.select("answer_id", "answer").with_columns(number).sort("bucket", "answer_id")
    for (bucket, *_), texts in parts.partition_by("bucket", as_dict=True, maintain_order=True).items():
        part = digest_of([texts["answer_id"].to_list(), texts["answer"].to_list()])
        frame = store.get(int(bucket), part)
        kept += 0 if frame is None else texts.height
        if frame is None:
            report = within(progress, done, texts.height, answers.height, kept)
            tagged = tag_texts(texts["answer"].to_list(), tagger, counts, report)
            frame = tagged.insert_column(0, texts["answer_id"])
            store.put(int(bucket), frame, part)
        done += frame.height
        write(frame)
        if progress is not None:
            progress(done, answers.height, "", kept)
    return counts


def _cut(text: str, max_chars: int, counts: Counts) -> str:
    if len(text) <= max_chars:
        return text
    counts.n_cut += 1
    head = text[:max_chars]
    return head[: max(head.rfind(" "), head.rfind("\n"))] if " " in head or "\n" in head else head


def _row(document: Any) -> Mapping[str, list[Any]]:
    tokens = [token for token in document if not token.is_space]
    place = {token.i: number for number, token in enumerate(tokens)}
    heads, starts, opening = [], [], False
    for token in document:
        opening = opening or bool(token.is_sent_start)
        if token.is_space:
            continue
        head = token.head
        while head.is_space and head.head.i != head.i:
            head = head.head
        number = place[token.i]
        # a head that is white space all the way up: the token is a root itself
        heads.append(place.get(head.i, number) - number)
        starts.append(opening)
        opening = False
    pos = [token.pos_ for token in tokens]
    return {
        "pos": pos,
        "tag": [token.tag_ for token in tokens],
        "dep": [token.dep_ for token in tokens],
        "head": heads,
        "start": starts,
        "noised": noise([token.text for token in tokens], pos),
    }
