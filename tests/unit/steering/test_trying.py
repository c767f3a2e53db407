"""Vectors tried on a bench made by hand: what works is chosen, what does not is not, and nobody need be steered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
import torch

from sociolect.common.artifacts import vectors
from sociolect.common.progress import Report
from sociolect.common.runtime import Job
from sociolect.lm.requests import Request, Result
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import open_wording
from sociolect.settings.steering import SweepJob, SweepSettings
from sociolect.steering.sweep import UNSTEERED
from sociolect.steering.trials import TOPIC, answer_requests, unsteered_table
from sociolect.steering.trying import Bench, Tried
from sociolect.steering.val_judges import perplexity_by
from tiny_models import save_tiny, tiny, word_tokenizer

torch.set_num_threads(1)
# each group has a word of its own
OWN = {"x": "waa", "y": "wbb"}
GENERATION = {"max_new_tokens": 8, "batch_tokens": 2000}
SWEEP = SweepSettings(
    alphas=(0.0, 0.02, 4.0), depths=(0.7,), band=None, halvings=1, max_log_perplexity_change=1e9, max_repetition=1.0
)


class Counting(TransformersBackend):
    """Counts what it is asked."""

    n_asked = 0

    def generate(self, requests: Sequence[Request], progress: Report | None = None) -> Iterator[Result]:
        self.n_asked += len(requests)
        return super().generate(requests, progress)


def judge(texts: Sequence[str]) -> Mapping[str, Sequence[str | None]]:
    """`sfam` sees the group whose word is said more often, `measured` whose word comes first; the topic is x."""
    counts = [{g: text.split().count(word) for g, word in OWN.items()} for text in texts]
    most = [None if c["x"] == c["y"] else max(c, key=lambda g: c[g]) for c in counts]
    first = [next((g for word in text.split() for g in OWN if word == OWN[g]), None) for text in texts]
    return {"sfam": most, "measured": first, TOPIC: ["x"] * len(texts)}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder, cache = tmp_path_factory.mktemp("lm"), tmp_path_factory.mktemp("cache")
    save_tiny(tiny("llama", seed=5), word_tokenizer(), folder, sharper=30)
    backend = Counting(folder, 2000, device="cpu")
    settings = SweepJob.model_validate({"sweep": {}, "generation": GENERATION, "labeling": {}, "syntax": {}})
    wording = open_wording(backend.tokenizer, None)
    asked = pl.DataFrame(
        [{"question_id": f"{g}{i}", "question": f"wa{'abcd'[i]}", "group": g} for g in OWN for i in range(4)]
    )
    prompts, requests = answer_requests(asked, wording, settings.generation, 1)
    said = {result.id: result for result in backend.generate(requests)}
    texts = [said[request.id].text for request in requests]
    values = perplexity_by(backend, wording, 2000)(prompts, texts)
    table = unsteered_table(asked, prompts, requests, texts, [8] * len(texts), values)
    job: Job[Any] = Job("try", settings, {"lm": [folder]}, {}, {"cache": str(cache)}, 1, 1, "", None)
    return Bench(backend, backend, wording, judge, job, table, [1.0, 1.0, 1.0])


def steering(bench: Bench, words: Mapping[str, str], method: str = "all") -> pl.DataFrame:
    """Vectors of groups along the output rows of words: after the final norm they decide for that word."""
    rows = bench.reader.model.get_output_embeddings().weight.detach()
    unit = torch.stack([rows[bench.reader.tokenizer.convert_tokens_to_ids("▁" + word)] for word in words.values()])
    unit = (unit / unit.norm(dim=1, keepdim=True)).repeat_interleave(3, dim=0)
    return pl.DataFrame(
        {
            "group": [group for group in words for _ in range(3)],
            "method": method,
            "layer": pl.Series([0, 1, 2] * len(words), dtype=pl.Int32),
            "vector": vectors(unit.numpy(), "vector"),
            "floor": 0.0,
        }
    )


def check_answers(tried: Tried) -> None:
    """The answers of the best setting are those of its outcome."""
    outcome, own = tried.found[tried.best], pl.col("group") == pl.col("target")
    assert tried.answers.columns == ["question_id", "group", "target", "gain", "topic"]
    assert tried.answers.height == outcome.n == tried.base.n
    assert tried.answers.filter(own)["gain"].mean() == pytest.approx(outcome.gain_own)
    assert tried.answers.filter(~own)["gain"].mean() == pytest.approx(outcome.gain_cross)
    assert tried.answers.filter(~own)["topic"].mean() == pytest.approx(-outcome.topic_loss)


@pytest.fixture(scope="module")
def working(bench: Bench) -> Tried:
    return bench.sweep(steering(bench, OWN), "all", "add", SWEEP)


def test_a_vector_that_works_is_chosen(bench: Bench, working: Tried) -> None:
    assert (working.best.method, working.best.layers, working.best.alpha) == ("all", (2,), 4.0)
    outcome = working.found[working.best]
    # all say the word of the target, whoever was asked: twice as many answers as questions
    assert outcome.hit_rate == 1 and outcome.n == 2 * bench.unsteered.height
    assert outcome.gain_own > 0.5 and outcome.gain_cross > 0.5
    check_answers(working)
    assert {setting.alpha for setting in working.found} == {0.02, 4.0}
    # not steering is what it is tried against
    assert (working.base.gain, working.base.n) == (0.0, outcome.n)


def test_what_was_tried_is_kept_for_these_vectors_alone(bench: Bench, working: Tried) -> None:
    before = bench.backend.n_asked  # type: ignore[attr-defined]
    # as in a run with another method beside this one
    again = bench.sweep(steering(bench, OWN), "all", "add", SWEEP)
    assert (again.found, again.best) == (working.found, working.best) and again.answers.equals(working.answers)
    assert bench.backend.n_asked == before  # type: ignore[attr-defined]
    turned = bench.sweep(steering(bench, {"x": OWN["y"], "y": OWN["x"]}), "all", "add", SWEEP)
    assert turned.best == UNSTEERED and bench.backend.n_asked > before  # type: ignore[attr-defined]


def test_strengths_are_in_units_of_the_residual_norms(bench: Bench, working: Tried) -> None:
    doubled = replace(bench, norms=[2.0, 2.0, 2.0])
    found = doubled.sweep(steering(bench, OWN), "all", "add", SWEEP.model_copy(update={"alphas": (0.01, 2.0)}))
    assert list(found.found.values()) == list(working.found.values()) and found.best.alpha == 2.0
    assert found.answers.equals(working.answers)


def test_a_vector_towards_other_words_is_not_chosen(bench: Bench) -> None:
    other = steering(bench, {"x": "wcc", "y": "wdd"})
    tried = bench.sweep(other, "all", "add", SWEEP)
    assert max(outcome.gain for setting, outcome in tried.found.items() if setting.alpha == 4) <= 0
    strong = bench.sweep(other, "all", "add", SWEEP.model_copy(update={"alphas": (4.0,)}))
    assert strong.best == UNSTEERED and len(strong.found) == 1
    assert strong.answers.height == strong.base.n == 16
    assert strong.answers.select("gain", "topic").unique().rows() == [(0.0, 0.0)]


def test_where_nobody_can_be_steered_nothing_is_tried(bench: Bench, working: Tried) -> None:
    before = bench.backend.n_asked  # type: ignore[attr-defined]
    tried = bench.sweep(steering(bench, OWN).clear(), "distinctive", "add", SWEEP)
    assert bench.backend.n_asked == before  # type: ignore[attr-defined]
    assert (tried.found, tried.best, tried.base) == ({}, UNSTEERED, working.base)
    # all questions are there, as with a method for all groups
    keys = ["question_id", "group", "target"]
    assert tried.answers.select(keys).equals(working.answers.select(keys)) and set(tried.answers["gain"]) == {0.0}


def test_targets_without_a_vector_are_left_out(bench: Bench, working: Tried) -> None:
    tried = bench.sweep(steering(bench, {"y": OWN["y"]}), "all", "add", SWEEP)
    assert set(tried.answers["target"]) == {"y"} and tried.base.n == 8
    check_answers(tried)
    # what the others have does not matter to them
    assert tried.answers.equals(working.answers.filter(target="y"))
