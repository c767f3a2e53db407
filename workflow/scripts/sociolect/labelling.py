"""Style vectors of many answers: resumable buckets on disk, grouped into any number of shards.

An answer belongs to a bucket by a stable hash of its id; shards only group buckets, so that changing their number
relabels nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl

from sociolect.agreement.model import (
    AgreementModel,
    Encoded,
    answer_limit,
    encode_attributes,
    encode_texts,
    weights_digest,
)
from sociolect.agreement.scoring import score_index_pairs
from sociolect.artifacts import Column, Schema, matrix, read_provenance, read_table, vectors
from sociolect.digests import digest_of
from sociolect.errors import InputError
from sociolect.pieces import PieceStore, bucket_of
from sociolect.schemas import LABELS

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Scored:
    """Scores [n, K] in [0, 1], how many answers were cut, and how many were empty."""

    scores: np.ndarray
    n_truncated: int
    n_empty: int


class Scorer(Protocol):
    """What labels texts: a cross-encoder, or anything else with a digest of all that decides its scores."""

    @property
    def key(self) -> str:
        """Digest of weights, attributes and settings."""
        ...

    def score(self, texts: Sequence[str], progress: Report | None = None) -> Scored:
        """Style vectors of the texts, in the order of the catalogue."""
        ...


class CrossEncoderScorer:
    """SFAM over all pairs of answer and attribute."""

    def __init__(
        self,
        agreement: AgreementModel,
        attribute_sentences: Sequence[str],
        tokens_per_batch: int,
        bf16: bool = False,
    ) -> None:
        """Encode the K sentences once; `tokens_per_batch` counts padding.

        Raises:
            InputError: there is no attribute, or one does not fit.
        """
        if not attribute_sentences:
            raise InputError("the catalogue has no attribute; loosen the rules under catalogue:")
        self._agreement = agreement
        self._attributes = encode_attributes(agreement, attribute_sentences)
        self._tokens_per_batch = tokens_per_batch
        self._bf16 = bf16
        self._key = digest_of(
            [weights_digest(agreement), list(attribute_sentences), agreement.max_tokens, tokens_per_batch, bf16]
        )

    @property
    def key(self) -> str:
        """Digest of weights, attribute sentences, pair length and batching."""
        return self._key

    def score(self, texts: Sequence[str], progress: Report | None = None) -> Scored:
        """Scores of texts [n, K], and how many answers were cut to fit beside the longest attribute."""
        answers = encode_texts(self._agreement, texts)
        scores = score_pairs(self._agreement, answers, self._attributes, self._tokens_per_batch, self._bf16, progress)
        room = answer_limit(self._agreement, self._attributes)
        return Scored(scores, int((answers.full_lengths > room).sum()), int((answers.lengths == 0).sum()))


def score_pairs(
    agreement: AgreementModel,
    answers: Encoded,
    attributes: Encoded,
    tokens_per_batch: int,
    bf16: bool = False,
    progress: Report | None = None,
) -> np.ndarray:
    """Scores of all pairs, float32 [n, K] in [0, 1].

    An answer without tokens has no style: its scores are 0. `progress(done, total)` counts pairs.
    """
    n, k = len(answers), len(attributes)
    scores = np.zeros((n, k), dtype=np.float32)
    filled = np.flatnonzero(answers.lengths > 0)
    scores[filled] = score_index_pairs(
        agreement,
        answers,
        attributes,
        np.repeat(filled, k),
        np.tile(np.arange(k), len(filled)),
        tokens_per_batch,
        bf16,
        progress,
    ).reshape(len(filled), k)
    return scores


@dataclass(frozen=True)
class Labelled:
    """Buckets of a shard: their tables, how many were scored now, and how many answers were cut or empty."""

    frames: list[pl.DataFrame]
    n_scored: int
    n_truncated: int
    n_empty: int


def read_texts(path: Path, id_column: str, text_column: str | None) -> pl.DataFrame:
    """Ids and texts of a table of answers or generations, as answer_id and answer, sorted by id.

    Args:
        path: parquet file.
        id_column: column that becomes answer_id.
        text_column: column that becomes answer; None reads the ids alone.

    Raises:
        InputError: the file or a column is missing, or an id repeats.
    """
    columns = {id_column: "answer_id"} | ({text_column: "answer"} if text_column else {})
    schema = Schema("texts", {name: Column(pl.String, name) for name in columns}, (id_column,))
    return read_table(path, schema).rename(columns).sort("answer_id")


def label_buckets(
    cache: Path,
    buckets: Sequence[int],
    n_buckets: int,
    answers: pl.DataFrame,
    scorer: Scorer,
    progress: Report | None = None,
) -> Labelled:
    """Label some of the buckets; those whose file was made by the same scorer of the same texts are taken as they are.

    What is scored together is one bucket: a resumed run gives the same bytes as an unbroken one.

    Args:
        cache: folder of the bucket files.
        buckets: numbers of the buckets to do.
        n_buckets: number of all buckets.
        answers: answer_id and answer of the whole table, sorted by id.
        scorer: what labels.
        progress: called with answers done and total.

    Raises:
        InputError: a score is not a number in [0, 1]; the message names answer and attribute.
    """
    store = PieceStore(cache, scorer.key, LABELS)
    of = pl.Series("bucket", [bucket_of(n_buckets, i) for i in answers["answer_id"]], dtype=pl.Int64)
    by_bucket = {b: answers.filter(of == b) for b in buckets}
    total, done, scored = sum(f.height for f in by_bucket.values()), 0, 0
    frames, counts = [], {"n_truncated": 0, "n_empty": 0}
    for bucket, texts in by_bucket.items():
        if not texts.height:
            continue
        part = digest_of([texts["answer_id"].to_list(), texts["answer"].to_list()])
        frame = store.get(bucket, part)
        if frame is None:
            result = scorer.score(texts["answer"].to_list())
            check_scores(result.scores, texts["answer_id"].to_list())
            frame = pl.DataFrame({"answer_id": texts["answer_id"], "style": vectors(result.scores, "style")})
            store.put(bucket, frame, part, n_truncated=result.n_truncated, n_empty=result.n_empty)
            scored += 1
        provenance = read_provenance(store.path(bucket))
        counts = {name: n + int(provenance[name]) for name, n in counts.items()}
        frames.append(frame)
        done += frame.height
        if progress is not None:
            progress(done, total)
    return Labelled(frames, scored, **counts)


def check_scores(scores: np.ndarray, answer_ids: Sequence[str]) -> None:
    """Refuse scores that are no probabilities.

    Raises:
        InputError: naming the first answer and the attribute's column.
    """
    bad = ~((scores >= 0) & (scores <= 1))
    if bad.any():
        row, column = (int(v) for v in np.argwhere(bad)[0])
        raise InputError(
            f"answer {answer_ids[row]!r}, attribute column {column}: the score is {scores[row, column]}, "
            "not a probability; the model's weights are damaged or overflow (train it again, or use fp32)"
        )


def gather_shards(paths: Sequence[Path], answer_ids: Sequence[str], n_attributes: int) -> pl.DataFrame:
    """Put shards together and check that every answer has all scores exactly once.

    Args:
        paths: shard files of schema LABELS.
        answer_ids: ids of all answers.
        n_attributes: K.

    Returns:
        A frame of schema LABELS sorted by answer_id.

    Raises:
        InputError: a shard is broken or was made with another catalogue, or an answer is missing, unknown or there
            twice. The message names file and answer.
    """
    frames = []
    for path in paths:
        frame = read_table(path, LABELS)
        width = matrix(frame["style"]).shape[1]
        if width != n_attributes:
            raise InputError(
                f"{path}: {width} scores per answer, the catalogue has {n_attributes} attributes; delete it"
            )
        check_scores(matrix(frame["style"]), frame["answer_id"].to_list())
        frames.append(frame.with_columns(file=pl.lit(str(path))))
    found = pl.concat(frames).sort("answer_id")
    twice = found.filter(pl.col("answer_id").is_duplicated())
    if twice.height:
        raise InputError(
            f"answer {twice['answer_id'][0]!r} is there twice, in {' and '.join(twice['file'][:2])}; delete one"
        )
    missing = sorted(set(answer_ids) - set(found["answer_id"]))
    if missing:
        raise InputError(
            f"answer {missing[0]!r} is in no shard ({len(missing)} missing in all); label the shards again"
        )
    unknown = sorted(set(found["answer_id"]) - set(answer_ids))
    if unknown:
        file = found.filter(pl.col("answer_id") == unknown[0])["file"][0]
        raise InputError(f"{file}: answer {unknown[0]!r} is not in the table that was labelled; delete the file")
    return found.drop("file")
