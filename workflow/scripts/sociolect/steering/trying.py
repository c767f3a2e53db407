"""All that it takes to try vectors on val: the models, who judges, and the unsteered answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.digests import digest_of, file_digest, source_digest
from sociolect.common.files import read_json
from sociolect.common.pieces import PieceStore
from sociolect.common.runtime import Job
from sociolect.common.schemas import CATALOGUE, GROUPS, TRIED_TEXTS, UNSTEERED
from sociolect.embedding.net import load_net
from sociolect.judges.text_judges import read_judges
from sociolect.labels.labelers import load_scorer
from sociolect.lm.backends import open_backend
from sociolect.lm.requests import Backend, write_vectors
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import Wording, open_wording
from sociolect.settings.steering import SweepSettings
from sociolect.steering.sweep import Outcome, Setting, candidates, try_all
from sociolect.steering.trials import Judge, Trials
from sociolect.steering.val_judges import judge_by, perplexity_by
from sociolect.steering.vectors_file import scaled_vectors
from sociolect.syntax.tagging import tagging_by

__all__ = ["Bench", "Tried", "open_bench"]


@dataclass(frozen=True)
class Tried:
    """What came out: outcomes by setting, the unsteered one on all questions, the best, and its answers one by one.

    `answers` has question_id, group, target, gain (mean over judges of style) and topic (whether the topic probe sees
    the question's group, minus whether it did before); zeros where it is best not to steer.
    """

    found: dict[Setting, Outcome]
    base: Outcome
    best: Setting
    answers: pl.DataFrame


@dataclass(frozen=True)
class Bench:
    """Everything but the vectors.

    Attributes:
        reader: reads norms and perplexities.
        backend: generates.
        wording: of the prompts.
        judge: of style, and the topic probe.
        job: its settings.
        unsteered: UNSTEERED.
        norms: residual norm of each block.
    """

    reader: TransformersBackend
    backend: Backend
    wording: Wording
    judge: Judge
    job: Job[Any]
    unsteered: pl.DataFrame
    norms: Sequence[float]

    def sweep(self, steering: pl.DataFrame, method: str, mode: str, settings: SweepSettings) -> Tried:
        """Successive halving over all settings of a method.

        Args:
            steering: STEERING of the method; val questions whose targets have no vector are left out.
            method: name.
            mode: how it is applied.
            settings: places, strengths, guards.
        """
        able, generation = steering["group"].unique().to_list(), self.job.settings.generation
        perplexity = perplexity_by(self.reader, self.wording, generation.batch_tokens)
        with TemporaryDirectory() as folder:
            file, modes = Path(folder) / "vectors.safetensors", {method: mode}
            if able:
                write_vectors(scaled_vectors(steering, self.norms), file)
            trials = Trials(
                self.backend,
                self.unsteered,
                self.wording,
                generation,
                self.judge,
                perplexity,
                modes,
                str(file),
                self._store(file if able else None),
                able,
            )
            evaluate = partial(trials.evaluate, progress=self.job.progress("sweep"))
            tried = candidates(method, self.reader.n_layers, settings) if able else []
            found, base, best = try_all(evaluate, trials.base, tried, settings)
            return Tried(found, base, best, trials.answers(best))

    def _store(self, vectors_file: Path | None) -> PieceStore:
        """Where the answers are kept for a start after a kill, or for one with other methods beside this one."""
        decisive = [file_digest(path) for path in (vectors_file, self.job.path("lm")) if path is not None]
        # that program asks the same questions, and imports what decides an answer but none of the methods
        key = digest_of([decisive, self.backend.info(), source_digest("answer_unsteered")])
        return PieceStore(Path(self.job.options["cache"]), key, TRIED_TEXTS)


def open_bench(job: Job[Any]) -> Bench:
    """Load what the inputs of a program name whose settings are a SweepJob's: lm, sfam, embedding, judges, groups,
    catalogue, unsteered, norms, document.

    Raises:
        InputError: an input is not as it should be.
    """
    generation, labeling = job.settings.generation, job.settings.labeling
    groups = job.read("groups", GROUPS).sort("group")
    job.stage("models")
    dtype, budget = job.options["dtype"], generation.batch_tokens
    reader = TransformersBackend(job.path("lm"), budget, dtype)
    backend = open_backend(job.options["backend"], job.path("lm"), budget, dtype, job.threads, reader)
    # a rule whose scorer is a model passes no tagger
    tag = tagging_by(job.settings.syntax.tagger) if labeling.scorer == "measured" else None
    scorer = load_scorer(job.path("sfam"), job.read("catalogue", CATALOGUE), labeling, tag=tag)
    (net, hyper), judges = load_net(job.path("embedding")), read_judges(job.path("judges"))
    centers, names = matrix(groups["embedding"]), groups["group"].to_list()
    judge = judge_by(scorer, net, centers, names, hyper["distance"], judges, job.settings.sweep.judges)
    style, date = job.options["prompt_style"], job.options["prompt_date"]
    wording = open_wording(reader.tokenizer, style, document_file=job.path_if_given("document"), date=date)
    unsteered, norms = job.read("unsteered", UNSTEERED), read_json(job.path("norms"))["residual_norms"]
    job.stage("sweep", **backend.info())
    return Bench(reader, backend, wording, judge, job, unsteered, norms)
