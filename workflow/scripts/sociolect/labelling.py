"""Style vectors of many answers: resumable buckets on disk, grouped into any number of shards.

An answer belongs to a bucket by a stable hash of its id; a bucket is one file, written whole or not at all, with
the key of all that decides its content. Shards only group buckets, so that changing their number relabels nothing. What is
computed together depends on the bucket alone: a resumed run gives the same bytes as an unbroken one.
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
    encode_attributes,
    encode_texts,
    special_tokens,
    weights_digest,
)
from sociolect.agreement.scoring import score_index_pairs
from sociolect.artifacts import matrix, read_provenance, read_table, vectors, write_table
from sociolect.digests import digest_of
from sociolect.errors import InputError
from sociolect.schemas import LABELS
from sociolect.seeds import stable_hash

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
        """Scores of texts [n, K]; an answer counts as cut if it does not fit beside the shortest attribute."""
        answers = encode_texts(self._agreement, texts)
        scores = score_pairs(
            self._agreement, answers, self._attributes, self._tokens_per_batch, self._bf16, progress
        )
        room = self._agreement.max_tokens - special_tokens() - int(self._attributes.lengths.min())
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


def bucket_of(answer_id: str, n_buckets: int) -> int:
    """The answer's bucket, the same on every machine and in every run."""
    return stable_hash("bucket", answer_id) % n_buckets


def buckets_of_shard(shard: int, n_shards: int, n_buckets: int) -> list[int]:
    """The buckets of one of `n_shards` shards, counted from 0.

    Raises:
        InputError: there is no such shard.
    """
    if not 0 <= shard < n_shards:
        raise InputError(f"shard {shard} of {n_shards}: shards are counted from 0 to {n_shards - 1}")
    return list(range(shard, n_buckets, n_shards))


def split_buckets(answers: pl.DataFrame, n_buckets: int) -> dict[int, pl.DataFrame]:
    """answer_id and answer of every bucket, sorted by id; a bucket without answers has no rows.

    Raises:
        InputError: an answer_id repeats.
    """
    if answers["answer_id"].is_duplicated().any():
        twice = answers.filter(pl.col("answer_id").is_duplicated())["answer_id"].min()
        raise InputError(f"answer_id {twice!r} occurs twice; ids must be unique")
    of = pl.Series("bucket", [bucket_of(i, n_buckets) for i in answers["answer_id"]], dtype=pl.Int64)
    ordered = answers.select("answer_id", "answer").with_columns(of).sort("answer_id")
    return {b: ordered.filter(pl.col("bucket") == b).drop("bucket") for b in range(n_buckets)}


def bucket_path(store: Path, bucket: int) -> Path:
    """The bucket's file."""
    return Path(store) / f"bucket_{bucket:05d}.parquet"


def bucket_key(answers: pl.DataFrame, scorer_key: str) -> str:
    """Digest of all that decides a bucket's content: the scorer, and the ids and texts in their order."""
    return digest_of([scorer_key, answers["answer_id"].to_list(), answers["answer"].to_list()])


def is_current(store: Path, bucket: int, key: str) -> bool:
    """Whether the bucket's file is whole and was made with this key."""
    path = bucket_path(store, bucket)
    if not path.is_file():
        return False
    try:
        if read_provenance(path).get("key") != key:
            return False
        read_table(path, LABELS)
    except ValueError:
        # corrupt, of another layout, or metadata that is no JSON: computed again
        return False
    return True


def label_bucket(
    store: Path, bucket: int, answers: pl.DataFrame, scorer: Scorer, progress: Report | None = None
) -> bool:
    """Label one bucket unless its file is current.

    Args:
        store: folder of the bucket files; made where missing.
        bucket: number of the bucket.
        answers: its answers, as `split_buckets` gives them.
        scorer: what labels.
        progress: called with pairs (or texts) done and total.

    Returns:
        True if it was computed, False if the file was reused.

    Raises:
        InputError: a score is not a number in [0, 1]; the message names answer and attribute.
    """
    key = bucket_key(answers, scorer.key)
    if is_current(store, bucket, key):
        return False
    scored = scorer.score(answers["answer"].to_list(), progress)
    check_scores(scored.scores, answers["answer_id"].to_list())
    frame = pl.DataFrame({"answer_id": answers["answer_id"], "style": vectors(scored.scores, "style")})
    counts = {"n_truncated": scored.n_truncated, "n_empty": scored.n_empty}
    write_table(frame, bucket_path(store, bucket), LABELS, {"key": key, **counts})
    return True


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


def gather_labels(
    store: Path, answers: pl.DataFrame, scorer_key: str, n_attributes: int, n_buckets: int
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Put the buckets together and check that every answer has all scores exactly once.

    Args:
        store: folder of the bucket files.
        answers: all answers of the split.
        scorer_key: key of the scorer that labelled.
        n_attributes: K.
        n_buckets: number of buckets, the same as in labelling.

    Returns:
        A frame of schema LABELS sorted by answer_id, and the counts n_truncated and n_empty.

    Raises:
        InputError: a bucket is missing, stale or corrupt, has another number of attributes, or an answer is
            missing, unknown or there twice. The message names it.
    """
    frames, counts = [], {"n_truncated": 0, "n_empty": 0}
    for bucket, expected in split_buckets(answers, n_buckets).items():
        path = bucket_path(store, bucket)
        frame = read_table(path, LABELS)
        provenance = read_provenance(path)
        _check_answers(frame["answer_id"], expected["answer_id"], path)
        if provenance.get("key") != bucket_key(expected, scorer_key):
            raise InputError(f"{path}: labelled with another model, catalogue or text; label its shard again")
        width = matrix(frame["style"]).shape[1]
        if width != n_attributes:
            raise InputError(f"{path}: {width} scores per answer, the catalogue has {n_attributes} attributes")
        if frame.height:
            check_scores(matrix(frame["style"]), frame["answer_id"].to_list())
        frames.append(frame)
        for name in counts:
            counts[name] += int(provenance.get(name, 0))
    return pl.concat(frames).sort("answer_id"), counts


def _check_answers(found: pl.Series, expected: pl.Series, path: Path) -> None:
    twice = found.filter(found.is_duplicated())
    if len(twice):
        raise InputError(f"{path}: answer {twice[0]!r} is there {int((found == twice[0]).sum())} times; delete the file")
    missing = sorted(set(expected) - set(found))
    if missing:
        raise InputError(f"{path}: answer {missing[0]!r} is missing ({len(missing)} in all); label its shard again")
    unknown = sorted(set(found) - set(expected))
    if unknown:
        raise InputError(f"{path}: answer {unknown[0]!r} is not in the split; delete the file and label again")
