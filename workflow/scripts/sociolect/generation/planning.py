"""The plan: requests of the eight conditions and their controls, and from requests to what a backend gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sociolect.common.digests import digest_of
from sociolect.common.errors import InputError
from sociolect.common.pieces import PieceStore, bucket_of
from sociolect.common.progress import Report, within
from sociolect.common.schemas import GENERATIONS, REQUESTS
from sociolect.common.seeds import seed_of, stable_hash
from sociolect.generation.conditions import CONDITIONS, resolve_method
from sociolect.lm.prompts import PROMPT_KINDS
from sociolect.lm.requests import Backend, Request, Result, SteerRef
from sociolect.lm.wordings import Wording
from sociolect.settings.generation import GenerationSettings
from sociolect.steering.vectors_file import vector_key

__all__ = [
    "Asked",
    "Choice",
    "ask",
    "buckets",
    "gather",
    "generate_buckets",
    "plan_requests",
    "questions_of",
    "read_choice",
]


class Choice(BaseModel):
    """What was chosen on val: method, layers, strength, positions; and the norms that scale the vectors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    layers: tuple[int, ...] = Field(min_length=1)
    alpha: float
    positions: str
    residual_norms: tuple[float, ...]
    fluent: bool


def read_choice(path: Path) -> Choice:
    """Read choice.json.

    Raises:
        InputError: no such file, or it lacks a key.
    """
    try:
        return Choice.model_validate_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise InputError(f"{path}: not the choice of a sweep ({error}); choose the strength again") from error


def questions_of(samples: pl.DataFrame, groups: Sequence[str], part: str, per_group: int | None) -> pl.DataFrame:
    """Questions of a part: question_id, question, group; the first `per_group` of each group by stable hash.

    Raises:
        InputError: a group has none.
    """
    frame = (
        samples.filter((pl.col("part") == part) & pl.col("group").is_in(list(groups)))
        .select("question_id", "question", "group")
        .unique(["question_id", "group"], keep="any")
    )
    rank = [stable_hash("question", q) for q in frame["question_id"]]
    frame = frame.with_columns(pl.Series("rank", rank, dtype=pl.UInt64)).sort("group", "rank", "question_id")
    missing = sorted(set(groups) - set(frame["group"]))
    if missing:
        raise InputError(f"group {missing[0]!r} has no {part} question; raise sampling.parts.{part} or add questions")
    if per_group is not None:
        frame = frame.group_by("group", maintain_order=True).head(per_group)
    return frame.select("question_id", "question", "group")


def plan_requests(
    samples: pl.DataFrame,
    groups: pl.DataFrame,
    catalogue: pl.DataFrame,
    wording: Wording,
    settings: GenerationSettings,
    run_seed: int,
) -> pl.DataFrame:
    """All requests of an experiment (REQUESTS), sorted by question group, question, target, condition, sample.

    The seed is that of question and sample, the same for all conditions and targets. A group without distinctive
    attributes gets no requests under the conditions that name attributes.

    Raises:
        InputError: a group has no test question, or a distinctive attribute is not in the catalogue.
    """
    attribute = dict(zip(catalogue["attribute_id"], catalogue["attribute"], strict=True))
    styles = dict(zip(groups["group"], groups["distinctive"].to_list(), strict=True))
    unknown = sorted({a for ids in styles.values() for a in ids} - set(attribute))
    if unknown:
        raise InputError(f"distinctive attribute {unknown[0]!r} is not in the catalogue; profile the groups again")
    names = sorted(styles)
    rows: list[dict[str, Any]] = []
    asked = questions_of(samples, names, "test", settings.questions_per_group)
    for question_id, question, group in asked.iter_rows():
        text = question[: settings.max_question_chars]
        for target in names if settings.targets == "cross" else [group]:
            said = [attribute[a] for a in styles[target]]
            kinds = [kind for kind, (_, needs) in PROMPT_KINDS.items() if said or not needs]
            rendered = {kind: wording.render(kind, text, target, said) for kind in kinds}
            for condition, (kind, method, other, _) in CONDITIONS.items():
                if kind not in PROMPT_KINDS:
                    raise InputError(
                        f"condition {condition!r}: no kind of prompt {kind!r}; use {', '.join(PROMPT_KINDS)}"
                    )
                if kind not in rendered:
                    continue
                for sample in range(settings.samples):
                    purpose = ("generation", question_id, sample, *(["other"] if other else []))
                    key = stable_hash("request", question_id, group, target, condition, sample)
                    rows.append(
                        {
                            "request_id": f"{key:016x}",
                            "question_id": question_id,
                            "question_group": group,
                            "target": target,
                            "condition": condition,
                            "sample": sample,
                            "prompt": rendered[kind],
                            "seed": seed_of(run_seed, *purpose),
                            "method": method,
                        }
                    )
    return REQUESTS.frame(rows).sort("question_group", "question_id", "target", "condition", "sample")


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
    wording: Wording, requests: pl.DataFrame, choice: Choice, vectors_file: Path, settings: GenerationSettings
) -> Asked:
    """What a backend is asked for the rows of one bucket."""
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
        if row["method"] is not None:
            row["method"] = resolve_method(row["method"], choice.method)
    return Asked(rows, list(asked.values()), answered_by, wording)


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

    A backend with `one_queue` gets what all missing buckets ask at once, others one bucket at a time, so that nothing
    in a piece depends on which buckets share a job.

    Returns:
        GENERATIONS of each bucket, in the order of their numbers.
    """
    total = sum(part.height for part in parts.values())

    def answer(missing: Sequence[int]) -> Iterator[tuple[int, pl.DataFrame]]:
        asked = {i: ask(wording, parts[i], choice, vectors_file, settings) for i in missing}
        done = total - sum(parts[i].height for i in missing)
        for group in [list(missing)] if backend.one_queue and missing else [[i] for i in missing]:
            rows = sum(parts[i].height for i in group)
            yield from _answered({i: asked[i] for i in group}, backend, within(progress, done, rows, total))
            done += rows

    return store.complete({index: digest_of(part.to_dicts()) for index, part in parts.items()}, answer)


def _answered(
    asked: Mapping[int, Asked], backend: Backend, progress: Report | None
) -> Iterator[tuple[int, pl.DataFrame]]:
    """(bucket, its table), each as soon as its last request is answered."""
    bucket = {request.id: index for index, one in asked.items() for request in one.requests}
    results: dict[int, dict[str, Result]] = {index: {} for index in asked}
    for result in backend.generate([request for one in asked.values() for request in one.requests], progress):
        index = bucket[result.id]
        results[index][result.id] = result
        if len(results[index]) == len(asked[index].requests):
            yield index, asked[index].table(results.pop(index))


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


def _steer(row: dict[str, Any], choice: Choice, vectors_file: Path) -> SteerRef | None:
    if row["method"] is None:
        return None
    key = vector_key(resolve_method(row["method"], choice.method), row["target"])
    return SteerRef(str(vectors_file), key, choice.layers, choice.alpha, choice.positions)
