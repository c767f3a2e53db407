"""Trials: what is asked, what comes of it, and that a vector that is known to work is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from sociolect.common.artifacts import check_table, vectors
from sociolect.common.errors import InputError
from sociolect.common.pieces import PieceStore
from sociolect.common.progress import Report
from sociolect.common.schemas import TRIED_TEXTS, UNSTEERED
from sociolect.lm.requests import Request, Result, floor_key, write_vectors
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import Wording, open_wording
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.steering import SweepSettings
from sociolect.steering.sweep import UNSTEERED as UNSTEERED_SETTING
from sociolect.steering.sweep import Outcome, Setting, candidates, try_all
from sociolect.steering.trials import TOPIC, Trials, answer_requests, outcome_of, unsteered_table
from sociolect.steering.val_judges import perplexity_by
from sociolect.steering.vectors_file import scaled_vectors, vector_key
from spoken import spaced_tokenizer
from tiny_models import save_speaker, save_tiny, tiny, word_tokenizer

torch.set_num_threads(1)
GENERATION = GenerationSettings(max_new_tokens=8, batch_tokens=2000)
MODES = {"all": "add", "distinctive": "add", "adaptive": "adaptive", "rotated": "rotate"}


def questions(groups: Sequence[str] = "xyz", n: int = 4) -> pl.DataFrame:
    return pl.DataFrame(
        [{"question_id": f"{g}{i}", "question": f"wa{'abcd'[i]}", "group": g} for g in groups for i in range(n)]
    )


class Scripted:
    """Says the key and the strength that it is steered with, and the question's seed; counts what it is asked."""

    tokenizer: Any = None
    one_queue = False

    def __init__(self, most: int = 10**6) -> None:
        self.asked: list[Request] = []
        self.most = most

    def generate(self, asked: Sequence[Request], progress: Report | None = None) -> Iterator[Result]:
        self.asked += asked
        for request in reversed(asked):
            self.most -= 1
            if self.most < 0:
                raise KeyboardInterrupt
            steer = request.steer
            said = "nothing" if steer is None else f"{steer.key} {steer.strength}"
            yield Result(request.id, (), f"{said} {request.seed}", "stop")


def judge(texts: Sequence[str]) -> Mapping[str, Sequence[str | None]]:
    """Sees the group that a scripted text was steered towards; topics never change."""
    seen = [text.split("/")[1][0] if "/" in text else "x" for text in texts]
    return {"sfam": seen, TOPIC: ["x"] * len(texts)}


def flat(prompts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    return np.ones(len(texts))


def unsteered(wording: Wording, asked: pl.DataFrame, backend: Any) -> pl.DataFrame:
    """UNSTEERED of what the backend says."""
    prompts, requests = answer_requests(asked, wording, GENERATION, 1)
    results = {result.id: result for result in backend.generate(requests)}
    texts = [wording.text_of(results[request.id].text) for request in requests]
    n_tokens = [len(results[request.id].token_ids) for request in requests]
    return unsteered_table(asked, prompts, requests, texts, n_tokens, np.ones(len(texts)))


def kept(folder: Path, key: str = "") -> PieceStore:
    """Where trials of one model and vectors keep their texts."""
    return PieceStore(folder / f"cache{key}", key, TRIED_TEXTS)


@pytest.fixture(scope="module")
def wording() -> Wording:
    return open_wording(word_tokenizer(), None)


@pytest.fixture
def scripted(wording: Wording, tmp_path: Path) -> tuple[Trials, Scripted]:
    backend = Scripted()
    table = unsteered(wording, questions(), backend)
    backend.asked.clear()
    return Trials(backend, table, wording, GENERATION, judge, flat, MODES, "file", kept(tmp_path), "xyz"), backend  # type: ignore[arg-type]


def test_unsteered_answers_are_kept_with_their_draws_and_another_target(wording: Wording) -> None:
    asked = questions()
    prompts, requests = answer_requests(asked, wording, GENERATION, 1)
    table = unsteered_table(asked, prompts, requests, ["a"] * 11 + [""], [1] * 12, np.array([2.0] * 11 + [np.nan]))
    check_table(table, UNSTEERED, "test")
    assert table["rank"].to_list() == [0, 1, 2, 3] * 3
    assert table["cross"].to_list() == [*"yzyz", *"zxzx", *"xyxy"]
    assert table["log_perplexity"].to_list() == [2.0] * 11 + [None]
    # draws are those of the question, whatever else is asked
    _, few = answer_requests(asked[5:7], wording, GENERATION, 1)
    assert [request.seed for request in few] == table["seed"].to_list()[5:7] and table["seed"].n_unique() == 12
    cut, _ = answer_requests(asked, wording, GENERATION.model_copy(update={"max_question_chars": 2}), 1)
    assert cut[0] == wording.render("question", "wa", "x", ()) != prompts[0]


def test_a_round_has_the_first_questions_of_each_group_towards_its_own_and_another(
    scripted: tuple[Trials, Scripted],
) -> None:
    trials, _ = scripted
    for share, ids in ((1.0, "0123"), (0.5, "01"), (0.25, "0"), (0.01, "0")):
        rows = trials.rows(share)
        assert set(rows["question_id"]) == {g + i for g in "xyz" for i in ids}
        assert rows.group_by("question_id").agg(pl.col("target").n_unique())["target"].to_list() == [2] * 3 * len(ids)
        assert (rows["group"] == rows["target"]).sum() == rows.height / 2
    assert trials.base(0.25).n == 6 and trials.base(1).n == 24
    # one of a few questions is as many as there are
    assert trials.rows(0.5).equals(trials.rows(1.0)[:12])


def test_requests_have_the_draws_of_the_unsteered_answer_and_the_target_s_vector(
    scripted: tuple[Trials, Scripted],
) -> None:
    trials, backend = scripted
    trials.evaluate([Setting("rotated", (0, 2), 0.5, "last")], 0.25)
    seeds = dict(trials.asked.select("question_id", "seed").iter_rows())
    found = sorted((r.seed, r.steer.key) for r in backend.asked if r.steer is not None)
    expected = {"x0": "xy", "y0": "yz", "z0": "zx"}
    assert found == sorted((seeds[q], f"rotated/{t}") for q, targets in expected.items() for t in targets)
    steer = backend.asked[0].steer
    assert steer is not None and (steer.layers, steer.strength, steer.positions) == ((0, 2), 0.5, "last")
    assert {r.steer.mode for r in backend.asked if r.steer is not None} == {"rotate"}


def test_what_an_earlier_round_generated_is_not_asked_again_and_makes_no_difference(
    scripted: tuple[Trials, Scripted], wording: Wording, tmp_path: Path
) -> None:
    trials, backend = scripted
    first, second = (Setting("all", (1,), alpha, "last") for alpha in (0.1, 0.2))
    counts = []
    for settings, share in (([first], 0.25), ([first, second], 0.5), ([second, first], 0.5), ([first], 1.0)):
        backend.asked.clear()
        outcomes = trials.evaluate(settings, share)
        counts.append(len(backend.asked))
        assert len({request.id for request in backend.asked}) == len(backend.asked)
    # 6 answers; 6 more and 12 of the other; none; and 12 more
    assert counts == [6, 18, 0, 12]
    other = Scripted()
    table = unsteered(wording, questions(), other)
    fresh = Trials(other, table, wording, GENERATION, judge, flat, MODES, "file", kept(tmp_path, "2"), "xyz")  # type: ignore[arg-type]
    assert fresh.evaluate([first], 1.0) == outcomes
    # all come to their target; 4 of 12 own targets had been seen as x before, and 4 of 12 other ones
    assert outcomes[0].hit_rate == 1 and outcomes[0].gain_own == outcomes[0].gain_cross == pytest.approx(2 / 3)


@pytest.mark.parametrize("one_queue", [False, True])
def test_a_start_after_a_kill_asks_only_what_was_under_way(
    wording: Wording, tmp_path: Path, one_queue: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scripted, "one_queue", one_queue)
    table = unsteered(wording, questions(), Scripted())
    settings = [Setting("all", (layer,), alpha, "last") for alpha in (0.1, 0.2, 0.3) for layer in (0, 1)]
    sweep = SweepSettings(alphas=(0.1, 0.2, 0.3), halvings=1)

    def started(backend: Scripted, key: str = "") -> Any:
        trials = Trials(backend, table, wording, GENERATION, judge, flat, MODES, "file", kept(tmp_path, key), "xyz")  # type: ignore[arg-type]
        return try_all(trials.evaluate, trials.base, settings, sweep)

    whole = started(Scripted(), "whole")
    # 6 settings on 12 answers each, then the better 3 on as many more: pieces of 24, 24, 24; 24 and 12
    with pytest.raises(KeyboardInterrupt):
        started(Scripted(most=60))
    again = Scripted()
    assert started(again) == whole and len(again.asked) == 108 - 48
    idle = Scripted()
    assert started(idle) == whole and not idle.asked
    # what is in a piece is all that matters: another question's draws, other answers
    table = table.with_columns(seed=pl.when(pl.col("question_id") == "x3").then(7).otherwise("seed"))
    other = Scripted()
    assert started(other)[0].keys() == whole[0].keys() and len(other.asked) == 36


def test_groups_without_a_vector_are_no_targets_and_every_round_has_questions(wording: Wording, tmp_path: Path) -> None:
    backend = Scripted()
    table = unsteered(wording, questions(), backend)

    def made(able: Sequence[str]) -> Trials:
        return Trials(backend, table, wording, GENERATION, judge, flat, MODES, "file", kept(tmp_path), able)  # type: ignore[arg-type]

    trials = made(["y", "z"])
    assert set(trials.asked["target"]) == {"y", "z"}
    # questions put to x are asked towards y and z; own and other targets of both
    assert trials.rows(1).height == 4 + 4 + 4 + 2 + 2
    # a single group is its own only target in the first round of its questions
    assert set(made(["z"]).rows(0.25).select("question_id", "target").rows()) == {("z0", "z"), ("y0", "z")}
    assert made(["z"]).evaluate([Setting("all", (1,), 0.1, "last")], 0.25)[0].n == 2
    # a method without any vector is shown as what it is: nothing
    none = made([])
    assert none.base(1.0) == made(["x", "y", "z"]).base(1.0)
    assert try_all(none.evaluate, none.base, [], SweepSettings()) == ({}, none.base(1.0), UNSTEERED_SETTING)
    assert none.answers(UNSTEERED_SETTING)["gain"].to_list() == [0] * 24


def test_an_outcome_by_hand() -> None:
    before = {"sfam": ["y", "y", "y", "y"], "ngrams": ["x", "x", "y", "y"], TOPIC: ["x", "x", "y", "y"]}
    after = {"sfam": ["x", "y", None, "x"], "ngrams": ["x", "y", None, "y"], TOPIC: ["x", "y", None, "y"]}
    texts, asked = ["a b a b a b", "c", " ", "d"], ["q1", "q1", "q2", "q2"]
    found = outcome_of(list("xxyy"), list("xyyx"), texts, after, before, [1.0, 2.0, None, 6.0], asked)
    assert found == Outcome(
        n=4,
        # own targets are the first and the third, the empty one of which hits nothing
        hit_rate=0.5,
        correct_change_rate=0.5,
        # sfam: one comes, one leaves; ngrams: one stays, one leaves
        gain_own=-0.25,
        # sfam: none, one; ngrams: one, none
        gain_cross=0.5,
        # towards y an answer to x's question is no longer about x
        topic_loss=0.5,
        log_perplexity=3.0,
        # of the four word trigrams of the first text two repeat
        repetition=0.125,
        empty=0.25,
        # the questions gain .5 and -.25
        gain_error=found.gain_error,
    )
    assert found.gain == 0.125 and found.gain_error == pytest.approx(0.375)
    # without sfam the first judge of style says who hits
    other = outcome_of(
        "xxyy", "xyyx", ["a"] * 4, {k: after[k] for k in ("ngrams", TOPIC)}, before, [float("nan")] * 4, list("qqqq")
    )
    assert (other.gain_own, other.gain_cross, other.log_perplexity) == (-0.5, 0.5, None)
    assert (other.hit_rate, other.correct_change_rate) == (0.5, 0.0)
    # one question says nothing of its error
    assert other.gain_error == 0.0


def test_answers_one_by_one_add_up_to_the_outcome(scripted: tuple[Trials, Scripted]) -> None:
    trials, _ = scripted
    setting = Setting("all", (1,), 0.1, "last")
    (outcome,) = trials.evaluate([setting], 1.0)
    answers = trials.answers(setting)
    assert answers.select("question_id", "target").n_unique() == answers.height == 24
    own = answers.filter(pl.col("group") == pl.col("target"))
    assert own["gain"].mean() == pytest.approx(outcome.gain_own)
    assert answers.filter(pl.col("group") != pl.col("target"))["gain"].mean() == pytest.approx(outcome.gain_cross)
    # before, all were seen as x: what is steered towards it gains nothing
    assert {(t, g) for t, g in answers.select("target", "gain").iter_rows()} == {("x", 0.0), ("y", 1.0), ("z", 1.0)}
    assert set(answers["topic"]) == {0.0}


def test_nothing_to_try_on_is_an_error() -> None:
    with pytest.raises(InputError, match="no val question to try a setting on"):
        outcome_of([], [], [], {"sfam": [], TOPIC: []}, {"sfam": [], TOPIC: []}, [], [])


@pytest.mark.parametrize("positions", ["last", "all"])
def test_vectors_of_zeros_leave_every_text_as_it_was_in_all_modes(tmp_path: Path, positions: str) -> None:
    tokenizer = word_tokenizer()
    backend = TransformersBackend(save_speaker(tmp_path / "lm", tokenizer), 400, device="cpu")
    wording, asked = open_wording(tokenizer, None), questions("xy")
    table = unsteered(wording, asked, backend)
    file = tmp_path / "v.safetensors"
    keys = [vector_key(method, group) for method in MODES for group in "xy"]
    write_vectors({**{k: torch.zeros(3, 32) for k in keys}, **{floor_key(k): torch.ones(3, 1) for k in keys}}, file)
    seen: list[list[str]] = []

    def record(texts: Sequence[str]) -> Mapping[str, Sequence[str | None]]:
        seen.append(list(texts))
        return judge(texts)

    trials = Trials(backend, table, wording, GENERATION, record, flat, MODES, str(file), kept(tmp_path), "xy")
    settings = [Setting(method, (0, 1, 2), 0.7, positions) for method in MODES]
    outcomes = trials.evaluate(settings, 1.0)
    assert seen[1:] == [seen[0]] * len(MODES) and len(set(seen[0])) > 4
    assert outcomes == [trials.base(1.0)] * len(MODES) and outcomes[0].gain == 0


class Recording(TransformersBackend):
    """Remembers what it was asked; ends every text as a document's is ended."""

    asked: tuple[Request, ...] = ()

    def generate(self, requests: Sequence[Request], progress: Report | None = None) -> Iterator[Result]:
        self.asked += tuple(requests)
        yield from (replace(result, text=f" {result.text}\n") for result in super().generate(requests, progress))


def test_a_base_model_is_tried_with_documents(tmp_path: Path) -> None:
    save_tiny(tiny("llama", seed=5), spaced_tokenizer(), tmp_path / "lm", sharper=30)
    backend = Recording(tmp_path / "lm", 2000, device="cpu")
    wording = open_wording(backend.tokenizer, "auto")
    asked = pl.DataFrame([{"question_id": f"{g}{i}", "question": "Why not?", "group": g} for g in "xy" for i in (0, 1)])
    table, file, seen = unsteered(wording, asked, backend), tmp_path / "v", list[str]()
    write_vectors({vector_key("all", group): torch.eye(3, 32) for group in "xy"}, file)

    def record(texts: Sequence[str]) -> Mapping[str, Sequence[str | None]]:
        seen.extend(texts)
        return judge(texts)

    trials = Trials(backend, table, wording, GENERATION, record, flat, MODES, str(file), kept(tmp_path), "xy")
    trials.evaluate([Setting("all", (1,), 0.5, "last")], 1.0)
    assert len(backend.asked) == 4 + 8 and {request.stop for request in backend.asked} == {wording.stop}
    for request in backend.asked:
        words = wording.tokenizer.convert_ids_to_tokens(request.prompt_token_ids)
        assert words == ["<s>", "Question:", " Why", " not?", "\n", "Answer:"]
    assert any(seen) and seen == [text.strip() for text in seen]


def test_a_vector_that_is_known_to_work_is_chosen(tmp_path: Path) -> None:
    """Each group has a word of its own; `distinctive` points at that word's output row, `all` at another word's."""
    tokenizer, model = word_tokenizer(), tiny("llama", seed=5)
    # after the final norm, a residual stream along a word's row then decides for that word
    save_tiny(model, tokenizer, tmp_path / "lm", sharper=30)
    own = {"x": "waa", "y": "wbb"}
    rows = model.get_output_embeddings().weight.detach()
    toward = {("x", "distinctive"): "waa", ("y", "distinctive"): "wbb", ("x", "all"): "wcc", ("y", "all"): "wdd"}
    unit = torch.stack(
        [rows[tokenizer.convert_tokens_to_ids("▁" + word)] for word in toward.values() for _ in range(3)]
    )
    steering = pl.DataFrame(
        {
            "group": [group for group, _ in toward for _ in range(3)],
            "method": [method for _, method in toward for _ in range(3)],
            "layer": pl.Series([0, 1, 2] * 4, dtype=pl.Int32),
            "vector": vectors((unit / unit.norm(dim=1, keepdim=True)).numpy(), "vector"),
            "floor": [0.0] * 12,
        }
    )
    file, backend = tmp_path / "v.safetensors", TransformersBackend(tmp_path / "lm", 2000, device="cpu")
    write_vectors(scaled_vectors(steering, [1.0, 1.0, 1.0]), file)
    wording = open_wording(tokenizer, None)

    def words(texts: Sequence[str]) -> Mapping[str, Sequence[str | None]]:
        """The group whose word is said more often than the other's."""
        counts = [{g: text.split().count(word) for g, word in own.items()} for text in texts]
        seen = [max(c, key=lambda g: c[g]) if len(set(c.values())) > 1 else None for c in counts]
        return {"sfam": seen, TOPIC: ["x"] * len(texts)}

    table = unsteered(wording, questions("xy"), backend)
    table = table.with_columns(
        log_perplexity=perplexity_by(backend, wording, 2000)(table["prompt"].to_list(), table["text"].to_list())
    )
    perplexity = perplexity_by(backend, wording, 2000)
    trials = Trials(backend, table, wording, GENERATION, words, perplexity, MODES, str(file), kept(tmp_path), "xy")
    loose = SweepSettings(
        alphas=(0.0, 0.02, 5.0), depths=(0.0, 0.7), band=None, max_log_perplexity_change=1e9, max_repetition=1.0
    )
    tried = [s for method in ("all", "distinctive") for s in candidates(method, 3, loose)]
    found, _, best = try_all(trials.evaluate, trials.base, tried, loose)
    assert (best.method, best.alpha) == ("distinctive", 5.0)
    # its own group's word and the other's, whoever was asked
    assert found[best].hit_rate == 1 and found[best].gain_own > 0.5 and found[best].gain_cross > 0.5
    assert max(o.hit_rate for s, o in found.items() if s.method == "all" and s.alpha == 5) == 0
    assert found[best].repetition > 0.5, "so strong a vector says one word only,"
    strict = loose.model_copy(update={"max_repetition": 0.3})
    assert try_all(trials.evaluate, trials.base, tried, strict)[2] != best, "which the guard is for"
