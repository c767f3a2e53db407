"""Trying settings of the sweep: generate on val questions, towards own and other groups, judge, measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.digests import digest_of
from sociolect.common.errors import InputError
from sociolect.common.pieces import PieceStore
from sociolect.common.progress import Report
from sociolect.common.schemas import TRIED_TEXTS, UNSTEERED
from sociolect.common.seeds import seed_of
from sociolect.corpus.questions import other_groups
from sociolect.lm.answering import answer_pieces
from sociolect.lm.fluency import repetition
from sociolect.lm.requests import Backend, Request, Result, SteerRef
from sociolect.lm.wordings import Wording
from sociolect.settings.generation import GenerationSettings
from sociolect.steering.sweep import UNSTEERED as UNSTEERED_SETTING
from sociolect.steering.sweep import Outcome, Setting
from sociolect.steering.vectors_file import vector_key

__all__ = ["TOPIC", "Judge", "Trials", "answer_requests", "outcome_of", "unsteered_table"]

TOPIC = "topic"  # the judge that sees what a text is about
# texts -> judge -> group that it sees in each; None in an empty text
Judge = Callable[[Sequence[str]], Mapping[str, Sequence[str | None]]]
# prompts and texts -> mean log perplexity of each, NaN where it is empty
Perplexity = Callable[[Sequence[str], Sequence[str]], np.ndarray]
# question_id, group, target, prompt, seed
Question = tuple[str, str, str, str, int]
Asked = tuple[Setting, Question]


def answer_requests(
    questions: pl.DataFrame, wording: Wording, settings: GenerationSettings, run_seed: int
) -> tuple[list[str], list[Request]]:
    """Prompt and unsteered request of each val question (question_id, question, group)."""
    prompts = [
        wording.render("question", question[: settings.max_question_chars], group, ())
        for question, group in questions.select("question", "group").iter_rows()
    ]
    seeds = [seed_of(run_seed, "sweep", question_id) for question_id in questions["question_id"]]
    return prompts, wording.requests(prompts, seeds, settings.max_new_tokens, settings.temperature, settings.top_p)


def unsteered_table(
    questions: pl.DataFrame,
    prompts: Sequence[str],
    requests: Sequence[Request],
    texts: Sequence[str],
    n_tokens: Sequence[int],
    log_perplexity: np.ndarray,
) -> pl.DataFrame:
    """UNSTEERED: the val questions with their answers, and another target for each."""
    return (
        questions.select("question_id", "question", "group")
        .with_columns(
            pl.Series("cross", other_groups(questions, questions["group"].unique().to_list()), dtype=pl.String),
            pl.int_range(pl.len()).over("group").alias("rank"),
            pl.Series("prompt", prompts, dtype=pl.String),
            pl.Series("seed", [request.seed for request in requests], dtype=pl.Int64),
            pl.Series("text", texts, dtype=pl.String),
            pl.Series("n_tokens", n_tokens, dtype=pl.Int64),
            pl.Series("log_perplexity", log_perplexity, dtype=pl.Float64).fill_nan(None),
        )
        .select(list(UNSTEERED.columns))
    )


class Trials:
    """The val questions, each asked once towards its own group and once towards another, with the same draws.

    Args:
        backend: generates.
        unsteered: UNSTEERED.
        wording: of the prompts.
        settings: temperature, limits.
        judge: of style, and the topic probe.
        perplexity: under the unsteered model.
        modes: method -> how it is applied.
        vectors_file: the scaled vectors.
        store: keeps what was generated, of TRIED_TEXTS; its key says which model and vectors.
        able: groups that have a vector, the only targets then; all where it is empty.
    """

    def __init__(
        self,
        backend: Backend,
        unsteered: pl.DataFrame,
        wording: Wording,
        settings: GenerationSettings,
        judge: Judge,
        perplexity: Perplexity,
        modes: Mapping[str, str],
        vectors_file: str,
        store: PieceStore,
        able: Sequence[str] = (),
    ) -> None:
        self._backend, self._wording, self._settings = backend, wording, settings
        self._judge, self._perplexity, self._modes, self._file = judge, perplexity, modes, vectors_file
        self._store, self._n_pieces = store, 0
        both = [unsteered.with_columns(target=pl.col(column)) for column in ("group", "cross")]
        asked = pl.concat(both).filter(pl.col("target").is_in(list(able)) if able else True)
        self.asked = asked.sort("rank", "group", "question_id", maintain_order=True)
        self._ids = {p: tuple(wording.encode(p)) for p in unsteered["prompt"].unique().sort()}
        self._base = judge(self.asked["text"].to_list())
        self._results: dict[tuple[Any, ...], str] = {}

    def rows(self, share: float) -> pl.DataFrame:
        """The questions of a round: the first of each group, one at least, towards both targets."""
        n = 1 + max(self.asked["rank"], default=0)
        return self.asked.filter(pl.col("rank") < max(1, round(share * n)))

    def base(self, share: float) -> Outcome:
        """Outcome of not steering."""
        rows = self.rows(share)
        return self._outcome(rows, rows["text"].to_list(), rows["log_perplexity"].to_list())

    def evaluate(self, settings: Sequence[Setting], share: float, progress: Report | None = None) -> list[Outcome]:
        """Outcomes of the settings. What an earlier round generated is taken from there."""
        rows = self.rows(share)
        names = rows.select("question_id", "group", "target", "prompt", "seed").rows()
        self._generate([(s, name) for s in settings for name in names if (s, *name[:3]) not in self._results], progress)
        texts = [self._results[setting, *name[:3]] for setting in settings for name in names]
        values = self._perplexity([name[3] for _ in settings for name in names], texts)
        n = len(names)
        return [
            self._outcome(rows, texts[at : at + n], [float(v) for v in values[at : at + n]])
            for at in range(0, len(texts), n)
        ]

    def answers(self, setting: Setting) -> pl.DataFrame:
        """Every val answer of a setting that was tried on all questions: question_id, group, target, gain and topic.

        Not to steer gains nothing.
        """
        rows = self.rows(1.0).select("question_id", "group", "target")
        if setting == UNSTEERED_SETTING:
            return rows.with_columns(gain=pl.lit(0.0), topic=pl.lit(0.0))
        texts = [self._results[setting, *name] for name in rows.rows()]
        after = self._judge(texts)
        groups, targets = rows["group"].to_list(), rows["target"].to_list()
        gains = [_rises(seen, self._base[name], targets) for name, seen in after.items() if name != TOPIC]
        return rows.with_columns(
            gain=pl.Series(np.mean(gains, axis=0)), topic=pl.Series(_rises(after[TOPIC], self._base[TOPIC], groups))
        )

    def _generate(self, missing: Sequence[Asked], progress: Report | None) -> None:
        """Texts of these, in pieces of one strength each: small enough to lose, and large enough for full batches."""
        pieces = [list(piece) for _, piece in groupby(missing, key=lambda asked: asked[0].alpha)]
        numbered = dict(enumerate(pieces, start=self._n_pieces))
        self._n_pieces += len(pieces)
        requests = {
            n: [self._request(f"{n}-{i}", *asked) for i, asked in enumerate(piece)] for n, piece in numbered.items()
        }

        def answer(wanted: Sequence[int]) -> Iterator[tuple[int, pl.DataFrame]]:
            for n, results in answer_pieces(self._backend, {n: requests[n] for n in wanted}, progress):
                yield n, self._table(numbered[n], [results[request.id] for request in requests[n]])

        digests = {n: digest_of([_decisive(request) for request in piece]) for n, piece in requests.items()}
        for piece, table in zip(pieces, self._store.complete(digests, answer), strict=True):
            for (setting, name), text in zip(piece, table["text"], strict=True):
                self._results[setting, *name[:3]] = text

    def _table(self, piece: Sequence[Asked], results: Sequence[Result]) -> pl.DataFrame:
        """TRIED_TEXTS of a piece."""
        rows = [
            {
                "layers": list(setting.layers),
                "alpha": setting.alpha,
                "positions": setting.positions,
                "question_id": question_id,
                "group": group,
                "target": target,
                "text": self._wording.text_of(result.text),
            }
            for (setting, (question_id, group, target, *_)), result in zip(piece, results, strict=True)
        ]
        return TRIED_TEXTS.frame(rows)

    def _request(self, key: str, setting: Setting, name: Question) -> Request:
        _, _, target, prompt, seed = name
        return Request(
            id=key,
            prompt_token_ids=self._ids[prompt],
            max_new_tokens=self._settings.max_new_tokens,
            temperature=self._settings.temperature,
            top_p=self._settings.top_p,
            seed=seed,
            steer=SteerRef(
                self._file,
                vector_key(setting.method, target),
                setting.layers,
                setting.alpha,
                setting.positions,
                self._modes[setting.method],
            ),
            stop=self._wording.stop,
        )

    def _outcome(self, rows: pl.DataFrame, texts: Sequence[str], log_perplexity: Sequence[float | None]) -> Outcome:
        before = {name: list(groups[: rows.height]) for name, groups in self._base.items()}
        return outcome_of(
            rows["group"].to_list(),
            rows["target"].to_list(),
            texts,
            self._judge(texts),
            before,
            log_perplexity,
            rows["question_id"].to_list(),
        )


def _decisive(request: Request) -> list[Any]:
    """What decides an answer beside the vectors and the model."""
    values = asdict(replace(request, id=""))
    steer = values.pop("steer")
    return [values, {**steer, "vectors_file": ""} if steer is not None else None]


def _rises(after: Sequence[str | None], before: Sequence[str | None], wanted: Sequence[str]) -> np.ndarray:
    """Whether a judge sees the wanted group, minus whether it did before [n]."""
    pairs = zip(after, before, wanted, strict=True)
    return np.array([float(now == group) - float(then == group) for now, then, group in pairs])


def outcome_of(
    groups: Sequence[str],
    targets: Sequence[str],
    texts: Sequence[str],
    after: Mapping[str, Sequence[str | None]],
    before: Mapping[str, Sequence[str | None]],
    log_perplexity: Sequence[float | None],
    questions: Sequence[str],
) -> Outcome:
    """The outcome of one setting.

    Args:
        groups: that the question was put to, of each generation.
        targets: target group of each.
        texts: generations.
        after: judge -> group that it sees in each, the topic probe among them; `sfam` is the nearest group.
        before: the same in the unsteered generation with the same question and seed.
        log_perplexity: of each; None or NaN where the text is empty.
        questions: question of each.

    Raises:
        InputError: there is no generation.
    """
    if len(texts) == 0:
        raise InputError("there is no val question to try a setting on; raise sweep.questions_per_group")
    own = np.array([g == t for g, t in zip(groups, targets, strict=True)])
    rise = {name: _rises(after[name], before[name], targets) for name in after if name != TOPIC}
    known = np.array([v for v in log_perplexity if v is not None and np.isfinite(v)])
    first = "sfam" if "sfam" in after else next(iter(rise))
    hit = np.array([seen == t for seen, t in zip(after[first], targets, strict=True)])

    def mean(values: np.ndarray, where: np.ndarray) -> float:
        return float(values[where].mean()) if where.any() else 0.0

    return Outcome(
        n=len(texts),
        hit_rate=mean(hit.astype(float), own),
        # came there: it is there, and was not before
        correct_change_rate=mean((hit & (rise[first] > 0)).astype(float), own),
        gain_own=float(np.mean([mean(r, own) for r in rise.values()])),
        gain_cross=float(np.mean([mean(r, ~own) for r in rise.values()])),
        topic_loss=-mean(_rises(after[TOPIC], before[TOPIC], groups), ~own),
        log_perplexity=float(known.mean()) if len(known) else None,
        repetition=float(np.mean([repetition(text) for text in texts])),
        empty=float(np.mean([not text.strip() for text in texts])),
        gain_error=_error(np.mean(list(rise.values()), axis=0), questions),
    )


def _error(values: np.ndarray, questions: Sequence[str]) -> float:
    """Standard error of the mean, the answers to a question counting as one; 0 with a single question."""
    names, place = np.unique(np.asarray(questions, dtype=str), return_inverse=True)
    means = np.bincount(place, values) / np.bincount(place)
    return float(means.std(ddof=1) / np.sqrt(len(names))) if len(names) > 1 else 0.0
