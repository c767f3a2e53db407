"""Planning, gathering, shards and pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from made_tables import corpus, plan
from sociolect.common.errors import InputError
from sociolect.common.pieces import PieceStore, buckets_of_shard
from sociolect.common.schemas import GENERATIONS
from sociolect.generation.conditions import CONDITIONS, NOISE_FLOOR, ROWS, unsteered
from sociolect.generation.planning import Choice, ask, buckets, gather, plan_requests, questions_of
from sociolect.lm.prompts import PROMPT_KINDS
from sociolect.lm.requests import Result
from sociolect.lm.wordings import open_wording
from sociolect.settings.generation import GenerationSettings
from spoken import spaced_tokenizer
from tiny_models import word_tokenizer

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return word_tokenizer()


def test_plan_has_the_conditions_and_shares_seeds(tokenizer: Any) -> None:
    assert len(ROWS) == 8 and {recipe.kind for recipe in CONDITIONS.values()} == set(PROMPT_KINDS)
    assert all(unsteered(name) == recipe.kind for name, recipe in CONDITIONS.items())
    frame = plan(tokenizer, samples=2)
    art, chem = frame.filter(pl.col("target") == "art"), frame.filter(pl.col("target") == "chem")
    assert art.height == 4 * 2 * 12 and chem.height == 4 * 2 * 8, "chem has no attributes, so no such rows"
    assert not chem["condition"].str.contains("attributes").any()
    seeds = frame.filter(pl.col("condition") != NOISE_FLOOR).group_by("question_id", "sample")
    assert seeds.agg(pl.col("seed").n_unique())["seed"].to_list() == [1] * 24
    assert frame["seed"].n_unique() == 48
    one = art.filter((pl.col("question_id") == "qart0") & (pl.col("sample") == 0))
    prompts = dict(one.select("condition", "prompt").iter_rows())
    assert prompts["steered+group+attributes"] == prompts["question+group+attributes"]
    assert "You use wac. You use wab." in prompts["steered+attributes"]
    assert prompts["steered (random)"] == prompts["steered"] == prompts["question"]
    methods = dict(one.select("condition", "method").iter_rows())
    assert methods["question"] is None and methods["steered"] == "chosen" and methods["steered (random)"] == "random"


def test_plan_does_not_depend_on_row_order_and_more_samples_only_add(tokenizer: Any) -> None:
    samples, groups, catalogue = corpus()
    settings, wording = (
        GenerationSettings(samples=1, targets="cross", questions_per_group=2),
        open_wording(tokenizer, None),
    )
    forth = plan_requests(samples, groups, catalogue, wording, settings, 1)
    back = plan_requests(samples.reverse(), groups.reverse(), catalogue.reverse(), wording, settings, 1)
    assert forth.equals(back)
    assert forth.group_by("question_group").agg(pl.col("question_id").n_unique())["question_id"].to_list() == [2] * 3
    assert set(plan(tokenizer, samples=1)["request_id"]) < set(plan(tokenizer, samples=2)["request_id"])
    assert questions_of(samples, ["art"], "val", None)["question_id"].sort().to_list() == ["qart4", "qart5"]
    with pytest.raises(InputError, match="group 'dance' has no val question"):
        questions_of(samples, ["dance"], "val", None)


def test_a_document_s_requests_stop_and_its_rows_begin_with_a_word(tmp_path: Path) -> None:
    samples, groups, catalogue = corpus()
    wording = open_wording(spaced_tokenizer(), "document")
    frame = plan_requests(samples, groups, catalogue, wording, GenerationSettings(samples=1), 1)
    bare = frame.filter(pl.col("condition") == "question")["prompt"]
    assert set(bare) == {f"Question: waa {i}\nAnswer:" for i in range(4)}
    choice = Choice(method="all", layers=(1,), alpha=0.1, positions="last", residual_norms=(1.0,), fluent=True)
    asked = ask(wording, frame, choice, tmp_path / "v", GenerationSettings())
    assert {request.stop for request in asked.requests} == {wording.stop} and wording.stop
    assert all(request.prompt_token_ids.count(2) == 1 for request in asked.requests)
    texts = [" Store coffee\n\n", "\n", " it is"]
    results = {r.id: Result(r.id, (5, 6), texts[i % 3], "stop_string") for i, r in enumerate(asked.requests)}
    table = asked.table(results)
    assert set(table["text"]) == {"Store coffee", "", "it is"} and set(table["finish_reason"]) == {"stop_string"}
    assert set(table["n_tokens"]) == {2}


def generations(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(text=pl.lit("x"), n_tokens=pl.lit(1, pl.Int64), finish_reason=pl.lit("stop"))


def test_gather_wants_every_request_exactly_once(tokenizer: Any) -> None:
    asked = plan(tokenizer, samples=1)
    made = generations(asked)
    assert gather([made[5:], made[:5]], asked)["request_id"].equals(asked["request_id"])
    for shards, message in (
        ([made, made[:1]], "answered twice"),
        ([made[1:]], "1 requests were not answered"),
        ([made, made[:1].with_columns(request_id=pl.lit("z"))], "1 generations have no request"),
        ([made.with_columns(prompt=pl.lit("other"))], "another prompt"),
    ):
        with pytest.raises(InputError, match=message):
            gather(shards, asked)


def test_shards_share_all_buckets_and_pieces_know_their_key(tokenizer: Any, tmp_path: Path) -> None:
    assert sorted(buckets_of_shard("1-of-3", 8) + buckets_of_shard("2/3", 8) + buckets_of_shard("3-of-3", 8)) == [
        *range(8)
    ]
    for wrong in ("0-of-3", "4-of-3", "x"):
        with pytest.raises(InputError, match="--shard"):
            buckets_of_shard(wrong, 8)
    asked = plan(tokenizer, samples=1)
    parts = buckets(asked, 4)
    assert sum(p.height for p in parts.values()) == asked.height
    assert all(p.select("question_id", "sample").n_unique() * 12 >= p.height for p in parts.values())
    frame = generations(parts[min(parts)])
    store = PieceStore(tmp_path, "key", GENERATIONS)
    store.put(0, frame, "part")
    found = store.get(0, "part")
    assert found is not None and found.equals(frame)
    assert (
        store.get(1, "part") is store.get(0, "other") is PieceStore(tmp_path, "new", GENERATIONS).get(0, "part") is None
    )
    whole = store.path(0).read_bytes()
    for cut in (0, 50, len(whole) - 1):
        store.path(0).write_bytes(whole[:cut])
        assert store.get(0, "part") is None, "a torn piece must be made again"
