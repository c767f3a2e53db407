"""What methods read of the groups' train answers: mean activations by kind of text, group, fold and block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import polars as pl

from sociolect.common.artifacts import vectors
from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.schemas import READINGS
from sociolect.common.seeds import seed_of, stable_hash
from sociolect.embedding.masking import content_words, replace_content
from sociolect.lm.reading import Reading, read_mean
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import Wording
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.steering import ReadingSettings

__all__ = ["KINDS", "AnswerReader", "draw_answers", "pool_of", "readings_table"]


class _Read(Protocol):
    def __call__(self, rows: pl.DataFrame) -> np.ndarray: ...


def draw_answers(samples: pl.DataFrame, groups: Sequence[str], per_group: int, folds: int) -> pl.DataFrame:
    """Train answers that are read, the first `per_group` of each group by hash, with their `fold`.

    All answers of an author, or where the author is unknown to a question, are in one fold, so that what is made of
    some folds knows neither authors nor questions of the others.

    Returns:
        answer_id, question_id, question, answer, group, fold; sorted by group, so that the first answers of a group are
        of different folds. With few authors there are fewer folds, the same for all groups.

    Raises:
        InputError: a group has train answers of fewer than two authors.
    """
    frame = samples.filter((pl.col("part") == "train") & pl.col("group").is_in(list(groups))).unique("answer_id")
    rank = pl.Series("rank", [stable_hash("read", a) for a in frame["answer_id"]], dtype=pl.UInt64)
    frame = frame.with_columns(rank).sort("group", "rank").group_by("group", maintain_order=True).head(per_group)
    frame = frame.with_columns(unit=pl.coalesce(pl.col("author"), pl.col("question_id")))
    counts = {g: frame.filter(pl.col("group") == g)["unit"].n_unique() for g in groups}
    few = min(counts, key=lambda g: counts[g])
    if counts[few] < 2:
        raise InputError(f"group {few!r} has train answers of {counts[few]} authors to read; at least 2 are needed")
    # authors in the order in which they are met
    units = frame.unique(["group", "unit"], keep="first", maintain_order=True).select(
        "group", "unit", fold=(pl.int_range(pl.len()).over("group") % min(folds, counts[few])).cast(pl.Int64)
    )
    frame = frame.join(units, on=["group", "unit"], maintain_order="left")
    turn = pl.int_range(pl.len()).over("group", "fold").alias("turn")
    frame = frame.with_columns(turn).sort("group", "turn", "fold", maintain_order=True)
    return frame.select("answer_id", "question_id", "question", "answer", "group", "fold")


class AnswerReader:
    """Reads drawn answers with a language model, one method for each kind of text: rows -> activations [n, L, d].

    Args:
        reader: holds the model.
        wording: of the prompts.
        pool: content words that others are replaced by.
        styles: group -> its style attributes, as a prompt names them.
        settings: lengths and budgets.
        generation: how the model answers itself.
        run_seed: config key `seed`.
        progress: called with sequences read and their number.
    """

    def __init__(
        self,
        reader: TransformersBackend,
        wording: Wording,
        pool: Sequence[str],
        styles: Mapping[str, Sequence[str]],
        settings: ReadingSettings,
        generation: GenerationSettings,
        run_seed: int,
        progress: Report | None = None,
    ) -> None:
        self._reader, self._wording, self._pool, self._styles = reader, wording, pool, styles
        self._settings, self._generation, self._seed, self._progress = settings, generation, run_seed, progress

    def answers(self, rows: pl.DataFrame) -> np.ndarray:
        """Over the tokens of each answer, after its question."""
        return self._texts(rows, rows["answer"].to_list())

    def replaced(self, rows: pl.DataFrame) -> np.ndarray:
        """Over the tokens of each answer with other content words, without its question, which says the topic."""
        seeds = [seed_of(self._seed, "readings", "replaced", a) for a in rows["answer_id"]]
        return self._alone(replace_content(rows["answer"].to_list(), self._pool, seeds))

    def questions(self, rows: pl.DataFrame) -> np.ndarray:
        """Over the tokens of the prompt with the question, its first token (a BOS, where there is one) aside."""
        ids = [tuple(self._wording.encode(prompt)) for prompt in self._prompts(rows, "question")]
        return self._read([Reading(i, _but_first(i)) for i in ids])

    def content(self, rows: pl.DataFrame) -> np.ndarray:
        """Over the tokens of each answer's content words alone: what it is about."""
        return self._alone([" ".join(content_words([answer])) for answer in rows["answer"]])

    def human_minus_model(self, rows: pl.DataFrame) -> np.ndarray:
        """The human answer minus the model's own to the same question."""
        seeds = [seed_of(self._seed, "readings", "own", answer_id) for answer_id in rows["answer_id"]]
        requests = self._wording.requests(
            self._prompts(rows, "question"),
            seeds,
            self._settings.max_tokens,
            self._generation.temperature,
            self._generation.top_p,
        )
        said = {r.id: self._wording.text_of(r.text) for r in self._reader.generate(requests, self._progress)}
        return self.answers(rows) - self._texts(rows, [said[request.id] for request in requests])

    def prompted_minus_plain(self, rows: pl.DataFrame) -> np.ndarray:
        """The last token of the prompt that names the style attributes of the group minus that of the plain one."""
        ends = []
        for kind in ("question+attributes", "question"):
            ids = [tuple(self._wording.encode(prompt)) for prompt in self._prompts(rows, kind)]
            ends.append(self._read([Reading(i, (len(i) - 1,)) for i in ids]))
        return ends[0] - ends[1]

    def _prompts(self, rows: pl.DataFrame, kind: str) -> list[str]:
        most = self._generation.max_question_chars
        return [
            self._wording.render(kind, question[:most], group, self._styles[group])
            for question, group in rows.select("question", "group").iter_rows()
        ]

    def _texts(self, rows: pl.DataFrame, texts: Sequence[str]) -> np.ndarray:
        readings = []
        for head, body in self._wording.continuations(self._prompts(rows, "question"), texts):
            ids = (*head, *body[: self._settings.max_tokens])
            # an empty answer is read where it would begin
            readings.append(Reading(ids, tuple(range(min(len(head), len(ids) - 1), len(ids)))))
        return self._read(readings)

    def _alone(self, texts: Sequence[str]) -> np.ndarray:
        """Texts without a question, after a line break: the first token of a sequence is like no other, and some models
        have no BOS that would be it."""
        found = [self._wording.encode(f"\n{text}", rendered=False) for text in texts]
        ids = [tuple(i[: 2 + self._settings.max_tokens]) for i in found]
        return self._read([Reading(i, _but_first(i)) for i in ids])

    def _read(self, readings: Sequence[Reading]) -> np.ndarray:
        return read_mean(self._reader.model, readings, self._settings.batch_tokens, self._progress)


def _but_first(ids: Sequence[int]) -> tuple[int, ...]:
    """All positions but the first, which may be a BOS; that one where there is no other."""
    return tuple(range(min(1, len(ids) - 1), len(ids)))


# kind -> the function that reads it, and whether it takes pairs of texts, which fewer questions are read for
KINDS: Mapping[str, bool] = {
    "answers": False,
    "replaced": False,
    "questions": False,
    "content": False,
    "human_minus_model": True,
    "prompted_minus_plain": True,
}


def readings_table(
    drawn: pl.DataFrame, kinds: Sequence[str], read: Mapping[str, _Read], pairs_per_group: int
) -> pl.DataFrame:
    """READINGS of these kinds, at least one; every fold has one of a group's first answers.

    Args:
        drawn: of `draw_answers`.
        kinds: of `KINDS`.
        read: kind -> rows to activations [n, L, d].
        pairs_per_group: answers per group that kinds of pairs are read of.
    """
    n_folds = drawn["fold"].max()
    frames = []
    for kind in kinds:
        rows = drawn.group_by("group", maintain_order=True).head(
            max(pairs_per_group, 1 + int(n_folds)) if KINDS[kind] else drawn.height  # type: ignore[arg-type]
        )
        values = read[kind](rows)
        cells = rows.with_row_index("row").group_by("group", "fold", maintain_order=True).agg("row")
        for group, fold, own in cells.sort("group", "fold").iter_rows():
            mean = values[own].mean(axis=0)
            frames.append(
                pl.DataFrame(
                    {
                        "kind": kind,
                        "group": group,
                        "fold": pl.Series([fold] * len(mean), dtype=pl.Int64),
                        "layer": pl.Series(range(len(mean)), dtype=pl.Int32),
                        "n": pl.Series([len(own)] * len(mean), dtype=pl.Int64),
                        "vector": vectors(mean, "vector"),
                    }
                ).select(list(READINGS.columns))
            )
    return pl.concat(frames)


def pool_of(samples: pl.DataFrame) -> list[str]:
    """Content words of train answers, as many of each group: what others are replaced by."""
    train = samples.filter(pl.col("part") == "train").sort("answer_id")
    words = [content_words(own["answer"].to_list()) for _, own in sorted(train.group_by("group"), key=lambda p: p[0])]
    words = [own for own in words if own]
    least = min(map(len, words), default=0)
    # from all over a group's answers
    return [own[i * len(own) // least] for own in words for i in range(least)]
