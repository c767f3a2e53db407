"""What a backend is asked: the chosen setting, stop strings, shards and pieces; and gathering what it said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from made_tables import ASKED, METHODS, corpus, plan, prompting
from sociolect.common.errors import InputError
from sociolect.common.files import write_json
from sociolect.common.pieces import PieceStore, buckets_of_shard
from sociolect.common.schemas import GENERATIONS
from sociolect.generation.asking import ask, buckets, gather
from sociolect.generation.choice import Choice, read_choice
from sociolect.generation.conditions import CONDITIONS, NOISE_FLOOR
from sociolect.generation.planning import plan_requests
from sociolect.lm.requests import Result
from sociolect.lm.wordings import open_wording
from sociolect.settings.generation import GenerationSettings
from spoken import spaced_tokenizer
from tiny_models import word_tokenizer

torch.set_num_threads(1)
CHOSEN: dict[str, Any] = {"method": "all", "layers": [1], "alpha": 0.5, "positions": "last", "mode": "add"}
OWN: dict[str, Any] = {
    "method": "distinctive", "layers": [0, 2], "alpha": 0.1, "positions": "generated", "mode": "rotate"
}  # fmt: skip


def choice(**more: Any) -> Choice:
    values = {**CHOSEN, "residual_norms": [1.0], "fluent": True, "methods": {"all": CHOSEN, "distinctive": OWN}, **more}
    return Choice.model_validate(values)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return word_tokenizer()


def test_controls_take_the_chosen_setting_and_a_method_its_own(tokenizer: Any, tmp_path: Path) -> None:
    wording = open_wording(tokenizer, None)
    frame = plan(tokenizer, samples=1, targets="own").filter(pl.col("question_id") == "qart0")
    asked = ask(wording, frame, choice(), tmp_path / "v", GenerationSettings())
    requests = {request.id: request for request in asked.requests}
    steers = {row["condition"]: requests[name].steer for row, name in zip(asked.rows, asked.answered_by, strict=True)}
    keys = {
        "steered": "all/art",
        "steered (random)": "random/art",
        "steered (shuffled)": "shuffled_all/art",
        "steered (other group)": "other_group_all/art",
        "steered (all)": "all/art",
    }
    for name, key in keys.items():
        steer = steers[name]
        assert steer is not None
        assert (steer.key, steer.layers, steer.strength, steer.positions, steer.mode) == (key, (1,), 0.5, "last", "add")
    steer = steers["steered (distinctive)"]
    assert steer is not None and (steer.key, steer.layers) == ("distinctive/art", (0, 2))
    assert (steer.strength, steer.positions, steer.mode) == (0.1, "generated", "rotate")
    assert all(steers[name] is None for name, condition in CONDITIONS.items() if condition.method is None)
    assert {row["condition"]: row["method"] for row in asked.rows}["steered (shuffled)"] == "shuffled_all"
    # asked once where prompt, draws and steering are the same
    answered = dict(zip([row["condition"] for row in asked.rows], asked.answered_by, strict=True))
    assert answered["steered"] == answered["steered (all)"] and answered["question"] != answered[NOISE_FLOOR]


def test_strength_0_is_not_to_steer(tokenizer: Any, tmp_path: Path) -> None:
    frame = plan(tokenizer, samples=1, targets="own").filter(pl.col("question_id") == "qart0")
    still = choice(alpha=0.0, fluent=False)
    asked = ask(open_wording(tokenizer, None), frame, still, tmp_path / "v", GenerationSettings())
    steered = {request.steer.key for request in asked.requests if request.steer is not None}
    # the own settings of the methods go on
    assert steered == {"all/art", "distinctive/art"}
    answered = dict(zip([row["condition"] for row in asked.rows], asked.answered_by, strict=True))
    assert answered["steered"] == answered["steered (random)"] == answered["question"]
    assert answered["steered+group"] == answered["question+group"] != answered["question"]


def test_a_choice_names_its_file_and_what_is_wrong(tmp_path: Path) -> None:
    write_json(choice().model_dump() | {"why": "it gains", "forecast": {}}, tmp_path / "choice.json")
    read = read_choice(tmp_path / "choice.json")
    assert read == choice()
    assert read.applied("best_distinctive").layers == (0, 2) and read.applied("other_group").layers == (1,)
    for lacks in ("methods", "mode", "residual_norms"):
        values = {key: value for key, value in choice().model_dump().items() if key != lacks}
        write_json(values, tmp_path / "choice.json")
        with pytest.raises(InputError, match=rf"choice\.json: not the choice of a sweep(?s:.*){lacks}"):
            read_choice(tmp_path / "choice.json")


def test_a_document_s_requests_stop_and_its_rows_begin_with_a_word(tmp_path: Path) -> None:
    wording = open_wording(spaced_tokenizer(), "document")
    made = prompting(wording, None)
    frame = plan_requests(corpus(), ASKED, METHODS, made, GenerationSettings(samples=1), 1)
    bare = frame.filter(pl.col("condition") == "question")["prompt"]
    assert set(bare) == {f"Question: waa {i}\nAnswer:" for i in range(4)}
    asked = ask(wording, frame, choice(), tmp_path / "v", GenerationSettings())
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
    # what a question and sample are asked, under whatever condition and target, meets in one bucket
    where = pl.concat([p.select("question_id", "sample", bucket=pl.lit(i)) for i, p in parts.items()])
    assert where.group_by("question_id", "sample").agg(pl.col("bucket").n_unique())["bucket"].max() == 1
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
