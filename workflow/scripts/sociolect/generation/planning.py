"""The plan: requests of the eight conditions and their controls, and from requests to what a backend gets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
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
from sociolect.corpus.questions import next_group, other_groups, questions_of
from sociolect.generation.conditions import BEST, EXAMPLES, Condition, conditions_of, method_row, resolve_method
from sociolect.lm.requests import Backend, Request, Result, SteerRef
from sociolect.lm.wordings import Wording
from sociolect.settings.generation import GenerationSettings
from sociolect.steering.vectors_file import vector_key

__all__ = [
    "Asked",
    "Choice",
    "Prompting",
    "ask",
    "ask_plainly",
    "buckets",
    "examples_of",
    "gather",
    "generate_buckets",
    "plan_requests",
    "read_choice",
]


class Applied(BaseModel):
    """How a method is applied: blocks, strength, positions and mode."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    method: str
    layers: tuple[int, ...] = Field(min_length=1)
    alpha: float
    positions: str
    mode: str


class Choice(Applied):
    """What was chosen on val; every method's own best; and the norms that scale the vectors."""

    residual_norms: tuple[float, ...]
    fluent: bool
    methods: dict[str, Applied]

    def applied(self, method: str) -> Applied:
        """How the vector of a request's method is applied: controls like the chosen one."""
        return self.methods[resolve_method(method, self.method)] if method.startswith(BEST) else self


def read_choice(path: Path) -> Choice:
    """Read choice.json.

    Raises:
        InputError: no such file, or it lacks a key.
    """
    try:
        return Choice.model_validate_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise InputError(f"{path}: not the choice of a sweep ({error}); choose the strength again") from error


@dataclass(frozen=True)
class Prompting:
    """What prompts are made of.

    Attributes:
        wording: of the prompts; best: the one that val chose.
        styles: group -> its style attributes, each the X of "You use X.".
        examples: group -> example answers with their questions, (question, answer), in the order of use.
        context: longest prompt and output together; None for no limit.
    """

    wording: Wording
    best: Wording
    styles: Mapping[str, Sequence[str]]
    examples: Mapping[str, Sequence[tuple[str, str]]]
    context: int | None

    def render(self, how: Condition, question: str, group: str, settings: GenerationSettings) -> str:
        """The prompt of a condition; of the examples as many as leave room for an answer.

        Raises:
            InputError: unknown kind.
        """
        text = question[: settings.max_question_chars]
        if how.kind != EXAMPLES:
            wording = self.best if how.best_wording else self.wording
            return wording.render(how.kind, text, group, self.styles[group])
        # of examples that are too long for the model, the first go
        shown = list(self.examples[group])
        while True:
            prompt = self.wording.render_examples(text, shown)
            room = self.context is None or len(self.wording.encode(prompt)) + settings.max_new_tokens <= self.context
            if room or not shown:
                return prompt
            shown = shown[1:]


def examples_of(samples: pl.DataFrame, groups: Sequence[str], n: int, chars: int) -> dict[str, list[tuple[str, str]]]:
    """Example answers of each group: its `n` train answers of the smallest hash, one per question, cut to length.

    Args:
        samples: SAMPLES of the split that is asked.
        groups: names.
        n: answers per group.
        chars: longest question, and longest answer, in characters.
    """
    train = samples.filter((pl.col("part") == "train") & pl.col("group").is_in(list(groups)))
    rank = pl.Series("rank", [stable_hash("example", a) for a in train["answer_id"]], dtype=pl.UInt64)
    train = train.with_columns(rank).sort("rank").unique(["group", "question_id"], keep="first", maintain_order=True)
    return {
        group: [
            (question[:chars], answer[:chars])
            for question, answer in train.filter(pl.col("group") == group).head(n).select("question", "answer").rows()
        ]
        for group in groups
    }


def plan_requests(
    samples: pl.DataFrame,
    groups: Sequence[str],
    methods: Mapping[str, Collection[str]],
    prompting: Prompting,
    settings: GenerationSettings,
    run_seed: int,
    adapters: bool = False,
) -> pl.DataFrame:
    """All requests of an experiment (REQUESTS), sorted by question group, question, target, condition, sample.

    Every condition has the same questions, groups and samples; only a method that cannot steer a group has none for
    it. The seed is that of question and sample, the same for all conditions and targets.

    Args:
        samples: SAMPLES of the split that is asked.
        groups: names.
        methods: method that gets a row of its own -> groups that it can steer.
        prompting: what prompts are made of.
        settings: questions, samples, targets.
        run_seed: config key `seed`.
        adapters: whether trained adapters answer, too.

    Raises:
        InputError: a group has no test question.
    """
    names, conditions = sorted(groups), conditions_of(list(methods), adapters)
    cannot = {method_row(m): set(names) - set(able) for m, able in methods.items()}
    asked = questions_of(samples, names, "test", settings.questions_per_group)
    others = other_groups(asked, names)
    rows: list[dict[str, Any]] = []
    for (question_id, question, group), other in zip(asked.iter_rows(), others, strict=True):
        wanted = {"own": [group], "drawn": [group, other], "cross": names}[settings.targets]
        rendered: dict[tuple[str, bool, str], str] = {}
        for target in wanted:
            for condition, how in conditions.items():
                if (target != group and not how.cross) or target in cannot.get(condition, ()):
                    continue
                named = (next_group(target, names) or target) if how.other_prompt else target
                key = how.kind, how.best_wording, named
                if key not in rendered:
                    rendered[key] = prompting.render(how, question, named, settings)
                for sample in range(settings.samples):
                    purpose = ("generation", question_id, sample, *(["other"] if how.other_seed else []))
                    name = stable_hash("request", question_id, group, target, condition, sample)
                    rows.append(
                        {
                            "request_id": f"{name:016x}",
                            "question_id": question_id,
                            "question_group": group,
                            "target": target,
                            "condition": condition,
                            "sample": sample,
                            "prompt": rendered[key],
                            "seed": seed_of(run_seed, *purpose),
                            "method": how.method,
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


def _steer(row: dict[str, Any], choice: Choice | None, vectors_file: Path) -> SteerRef | None:
    if row["method"] is None or choice is None:
        return None
    how = choice.applied(row["method"])
    # strength 0 is not to steer
    if how.alpha == 0:
        return None
    key = vector_key(resolve_method(row["method"], choice.method), row["target"])
    return SteerRef(str(vectors_file), key, how.layers, how.alpha, how.positions, how.mode)
