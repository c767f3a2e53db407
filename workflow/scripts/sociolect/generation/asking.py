"""From requests to what a backend is asked, bucket by bucket, and back to the table of generations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from sociolect.common.digests import digest_of
from sociolect.common.errors import InputError
from sociolect.common.pieces import PieceStore, bucket_of
from sociolect.common.progress import Report, within
from sociolect.common.schemas import GENERATIONS
from sociolect.generation.choice import Choice
from sociolect.generation.conditions import resolve_method
from sociolect.lm.answering import answer_pieces
from sociolect.lm.requests import Backend, Request, Result, SteerRef
from sociolect.lm.wordings import Wording
from sociolect.settings.generation import GenerationSettings
from sociolect.steering.vectors_file import vector_key

__all__ = ["Asked", "ask", "ask_plainly", "buckets", "gather", "generate_buckets"]


def buckets(requests: pl.DataFrame, n_buckets: int) -> dict[int, pl.DataFrame]:
    """Requests by bucket: a stable hash of question and sample, so that equal generations meet."""
    numbers = [bucket_of(n_buckets, q, s) for q, s in requests.select("question_id", "sample").iter_rows()]
    frame = requests.with_columns(pl.Series("bucket", numbers, dtype=pl.Int64)).sort("bucket", "request_id")
    parts = frame.partition_by("bucket", as_dict=True, include_key=False)
    return {int(key[0]): part for key, part in parts.items()}


@dataclass(frozen=True)
class Asked:
    """The requests of a bucket, and how its rows come from their results.

    Attributes:
        rows: of REQUESTS, sorted by request_id, `method` being the resolved one.
        requests: for the backend. Rows that agree in prompt, seed and steering (row 1 under cross targets) share one.
        answered_by: for each row the id of its request.
        wording: how the prompts were made.
    """

    rows: list[dict[str, Any]]
    requests: list[Request]
    answered_by: list[str]
    wording: Wording

    def table(self, results: Mapping[str, Result]) -> pl.DataFrame:
        """GENERATIONS, sorted by request_id."""
        rows = []
        for row, name in zip(self.rows, self.answered_by, strict=True):
            result = results[name]
            text = self.wording.text_of(result.text)
            more = {"text": text, "n_tokens": len(result.token_ids), "finish_reason": result.finish_reason}
            rows.append({**row, **more})
        return GENERATIONS.frame(rows)


def ask(
    wording: Wording, requests: pl.DataFrame, choice: Choice | None, vectors_file: Path, settings: GenerationSettings
) -> Asked:
    """What a backend is asked for the rows of one bucket; without a choice nothing may be steered."""
    prompt_ids = {p: tuple(wording.encode(p)) for p in requests["prompt"].unique().sort()}
    asked: dict[tuple[Any, ...], Request] = {}
    rows, answered_by = requests.sort("request_id").to_dicts(), []
    for row in rows:
        steer = _steer(row, choice, vectors_file)
        request = asked.setdefault(
            (row["prompt"], row["seed"], steer),
            Request(
                id=row["request_id"],
                prompt_token_ids=prompt_ids[row["prompt"]],
                max_new_tokens=settings.max_new_tokens,
                temperature=settings.temperature,
                top_p=settings.top_p,
                seed=row["seed"],
                steer=steer,
                stop=wording.stop,
            ),
        )
        answered_by.append(request.id)
        if row["method"] is not None and choice is not None:
            row["method"] = resolve_method(row["method"], choice.method)
    return Asked(rows, list(asked.values()), answered_by, wording)


def ask_plainly(
    backend: Backend, wording: Wording, requests: pl.DataFrame, settings: GenerationSettings
) -> pl.DataFrame:
    """GENERATIONS of requests that no vector steers, sorted by request_id.

    Args:
        backend: answers.
        wording: how the prompts were made.
        requests: REQUESTS.
        settings: lengths, temperature.
    """
    plain = requests.with_columns(pl.lit(None, dtype=pl.String).alias("method"))
    asked = ask(wording, plain, None, Path(), settings)
    results = {result.id: result for result in backend.generate(asked.requests)}
    kept = requests.sort("request_id")["method"]
    return asked.table(results).with_columns(kept)


def generate_buckets(
    backend: Backend,
    wording: Wording,
    parts: dict[int, pl.DataFrame],
    store: PieceStore,
    choice: Choice,
    vectors_file: Path,
    settings: GenerationSettings,
    progress: Report | None = None,
) -> list[pl.DataFrame]:
    """Answer buckets, keeping each in the store as soon as it is whole; those that are there already are read.

    Returns:
        GENERATIONS of each bucket, in the order of their numbers.
    """
    total = sum(part.height for part in parts.values())

    def answer(missing: Sequence[int]) -> Iterator[tuple[int, pl.DataFrame]]:
        asked = {i: ask(wording, parts[i], choice, vectors_file, settings) for i in missing}
        rows = sum(parts[i].height for i in missing)
        requests = {i: one.requests for i, one in asked.items()}
        for i, results in answer_pieces(backend, requests, within(progress, total - rows, rows, total, total - rows)):
            yield i, asked[i].table(results)

    return store.complete({index: digest_of(part.to_dicts()) for index, part in parts.items()}, answer)


def gather(shards: Sequence[pl.DataFrame], requests: pl.DataFrame) -> pl.DataFrame:
    """All generations in the order of the requests.

    Raises:
        InputError: a request has no generation or more than one, a generation has no request, or its prompt or
            seed is not the request's. The message names one.
    """
    frame = pl.concat(shards)
    twice = frame.filter(frame["request_id"].is_duplicated())
    if twice.height:
        raise InputError(f"request {twice['request_id'][0]!r} was answered twice; the shards overlap, delete them")
    missing = sorted(set(requests["request_id"]) - set(frame["request_id"]))
    if missing:
        raise InputError(f"{len(missing)} requests were not answered, such as {missing[0]!r}; delete the shards")
    extra = sorted(set(frame["request_id"]) - set(requests["request_id"]))
    if extra:
        raise InputError(f"{len(extra)} generations have no request, such as {extra[0]!r}; delete the shards")
    joined = requests.select("request_id", "prompt", "seed").join(
        frame, on="request_id", how="left", maintain_order="left", suffix="_answered"
    )
    changed = joined.filter(
        (pl.col("prompt") != pl.col("prompt_answered")) | (pl.col("seed") != pl.col("seed_answered"))
    )
    if changed.height:
        raise InputError(f"request {changed['request_id'][0]!r} was answered for another prompt; delete the shards")
    return joined.select(list(GENERATIONS.columns))


def _steer(row: dict[str, Any], choice: Choice | None, vectors_file: Path) -> SteerRef | None:
    if row["method"] is None or choice is None:
        return None
    how = choice.applied(row["method"])
    # strength 0 is not to steer
    if how.alpha == 0:
        return None
    key = vector_key(resolve_method(row["method"], choice.method), row["target"])
    return SteerRef(str(vectors_file), key, how.layers, how.alpha, how.positions, how.mode)
