"""Trying settings of the sweep: generate on val questions, label, embed, measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.seeds import seed_of
from sociolect.embedding.net import Distance, EmbeddingNet, embed, nearest_group
from sociolect.labels.buckets import Scorer
from sociolect.lm.fluency import log_perplexities, repetition
from sociolect.lm.reading import residual_norms
from sociolect.lm.requests import Backend, Request, SteerRef, write_vectors
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import Wording
from sociolect.settings.generation import GenerationSettings
from sociolect.steering.sweep import Outcome, Setting, measure
from sociolect.steering.vectors_file import scaled_vectors, vector_key

__all__ = ["Trials", "nearest_by_style", "usable_methods"]

Nearest = Callable[[Sequence[str]], Sequence[str]]


class Trials:
    """The val questions, each asked once of its own group, unsteered first.

    Args:
        reader: holds the language model, to read norms and perplexities.
        backend: generates with it.
        questions: question_id, question, group.
        steering: STEERING.
        wording: of the prompts.
        settings: temperature, limits, token budget.
        nearest_groups: texts -> nearest group of each (SFAM, embedding net, distance).
        positions: where vectors are added.
        vectors_file: where the scaled vectors are written for the backend.
        run_seed: config key `seed`.

    Attributes:
        norms: r[l], median residual norm per block over the tokens of the unsteered answers.
        base: outcome without steering.

    Raises:
        InputError: the model answers nothing to all questions.
    """

    def __init__(
        self,
        reader: TransformersBackend,
        backend: Backend,
        questions: pl.DataFrame,
        steering: pl.DataFrame,
        wording: Wording,
        settings: GenerationSettings,
        nearest_groups: Nearest,
        positions: str,
        vectors_file: Path,
        run_seed: int,
    ) -> None:
        self._reader, self._backend, self._settings, self._nearest = reader, backend, settings, nearest_groups
        self._wording, self._positions, self._file = wording, positions, str(vectors_file)
        self._targets: list[str] = questions["group"].to_list()
        self._seeds = [seed_of(run_seed, "sweep", question) for question in questions["question_id"]]
        self._prompts = [
            wording.render("question", q[: settings.max_question_chars], group, ())
            for q, group in questions.select("question", "group").iter_rows()
        ]
        self._ids = [tuple(wording.encode(prompt)) for prompt in self._prompts]
        results = self._generate([None], None)
        self.norms = residual_norms(reader.model, self._ids, [r[1] for r in results], settings.batch_tokens)
        write_vectors(scaled_vectors(steering, self.norms), vectors_file)
        texts = [text for text, _ in results]
        self._reference = list(nearest_groups(texts))
        self.base = self._outcomes(texts)[0]

    def evaluate(self, settings: Sequence[Setting], progress: Report | None = None) -> list[Outcome]:
        """Outcomes of the settings; all their generations share one queue, so batches are full."""
        return self._outcomes([text for text, _ in self._generate(settings, progress)])

    def _generate(
        self, settings: Sequence[Setting | None], progress: Report | None
    ) -> list[tuple[str, tuple[int, ...]]]:
        requests = [
            Request(
                id=f"{number:05d}-{row:05d}",
                prompt_token_ids=ids,
                max_new_tokens=self._settings.max_new_tokens,
                temperature=self._settings.temperature,
                top_p=self._settings.top_p,
                seed=self._seeds[row],
                steer=None if setting is None else self._steer(setting, self._targets[row]),
                stop=self._wording.stop,
            )
            for number, setting in enumerate(settings)
            for row, ids in enumerate(self._ids)
        ]
        results = {result.id: result for result in self._backend.generate(requests, progress)}
        return [(self._wording.text_of(results[r.id].text), results[r.id].token_ids) for r in requests]

    def _steer(self, setting: Setting, target: str) -> SteerRef:
        key = vector_key(setting.method, target)
        return SteerRef(self._file, key, setting.layers, setting.alpha, self._positions)

    def _outcomes(self, texts: list[str]) -> list[Outcome]:
        """One outcome per run of as many texts as there are questions."""
        n = len(self._targets)
        times = len(texts) // n
        # equal texts (of weak strengths) are labeled and scored once
        distinct = list(dict.fromkeys(zip(self._prompts * times, texts, strict=True)))
        place = {key: i for i, key in enumerate(distinct)}
        nearest = self._nearest([text for _, text in distinct])
        perplexity = log_perplexities(
            self._reader.model,
            self._wording,
            [prompt for prompt, _ in distinct],
            [text for _, text in distinct],
            self._settings.batch_tokens,
        )
        outcomes = []
        for start in range(0, len(texts), n):
            own = texts[start : start + n]
            rows = [place[key] for key in zip(self._prompts, own, strict=True)]
            found: list[Any] = [nearest[row] for row in rows]
            repeats = [repetition(text) for text in own]
            outcomes.append(measure(own, self._targets, found, self._reference, np.asarray(perplexity)[rows], repeats))
        return outcomes


def nearest_by_style(
    scorer: Scorer, net: EmbeddingNet, centers: np.ndarray, groups: Sequence[str], distance: Distance
) -> Nearest:
    """Texts -> nearest group of each: SFAM scores of all attributes, embedded, against the group embeddings.

    Args:
        scorer: labels texts on the K attributes of the catalogue.
        net: embedding net for K attributes.
        centers: group embeddings [G, D].
        groups: their names.
        distance: that the net was trained for.
    """

    def judge(texts: Sequence[str]) -> list[str]:
        return nearest_group(embed(net, scorer.score(texts).scores), centers, groups, distance)

    return judge


def usable_methods(steering: pl.DataFrame, groups: Sequence[str], methods: Sequence[str]) -> list[str]:
    """Methods that have a vector for every group, in the order given: one choice must serve all groups.

    Raises:
        InputError: there is none; names a group that lacks a vector.
    """
    have = set(steering.select("group", "method").iter_rows())
    usable = [method for method in methods if all((group, method) in have for group in groups)]
    if not usable:
        lacking = [(g, m) for m in methods for g in groups if (g, m) not in have]
        group, method = lacking[0]
        raise InputError(
            f"group {group!r} has no {method} vector (it has no distinctive attributes); add `all` to "
            "steering.methods, lower profiles.min_gap, or leave the group out"
        )
    return usable
