"""Backend, sampling, planning, pieces, fluency, on tiny random models."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from test_hooks import MODELS, tiny

import generate_answers
import measure_fluency
from sociolect.common.artifacts import read_table, vectors, write_table
from sociolect.common.digests import digest_of
from sociolect.common.errors import InputError
from sociolect.common.files import write_json
from sociolect.common.pieces import PieceStore, buckets_of_shard
from sociolect.common.runtime import Job
from sociolect.common.schemas import FLUENCY, GENERATIONS, REQUESTS, STEERING
from sociolect.common.seeds import seed_of
from sociolect.generation.conditions import CONDITIONS, NOISE_FLOOR, ROWS, unsteered
from sociolect.generation.planning import buckets, gather, plan_requests, questions_of
from sociolect.lm.draws import draw_uniforms, sample_tokens
from sociolect.lm.fluency import log_perplexities, repetition
from sociolect.lm.prompts import PROMPT_KINDS, Prompts
from sociolect.lm.requests import Request, Result, SteerRef, write_vectors
from sociolect.lm.transformers_backend import TransformersBackend, batches_of
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.models import ScratchTokenizer

torch.set_num_threads(1)
SCRIPTS = Path(__file__).resolve().parents[2] / "workflow" / "scripts"
WORDS = [f"w{a}{b}" for a in "abcde" for b in "abcdefghij"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return train_tokenizer([" ".join(WORDS)], ScratchTokenizer())


@pytest.fixture(scope="module")
def folder(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lm")
    model = tiny("llama", seed=1)
    with torch.no_grad():
        # attention that matters: what is added to earlier tokens must be felt by later ones
        for name, weight in model.named_parameters():
            if "v_proj" in name or "o_proj" in name:
                weight.mul_(8)
    save(model, tokenizer, path)
    return path


def save(model: Any, tokenizer: Any, path: Path) -> None:
    # sharper than a fresh model, so that it has preferences; ends now and then
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(8)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)


@pytest.fixture(scope="module")
def backend(folder: Path) -> TransformersBackend:
    return TransformersBackend(folder, 600, device="cpu")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("vectors") / "v.safetensors"
    generator = torch.Generator().manual_seed(3)
    write_vectors({k: torch.randn(3, 32, generator=generator) for k in ("a", "b")}, path)
    return str(path)


def requests(n: int, temperature: float = 1.0, file: str | None = None, **more: Any) -> list[Request]:
    """Prompts of 3 to 9 tokens; with a file every third is unsteered, the others take a or b and any positions."""
    made = []
    for i in range(n):
        ids = tuple([2, *((7 * i + 11 * j) % 50 + 12 for j in range(2 + i % 7))])
        steer = None
        if file is not None and i % 3:
            layers = ((0,), (1,), (0, 1, 2))[i % 5 % 3]
            steer = SteerRef(file, "ab"[i % 2], layers, 1.5, ("generated", "last", "all")[i // 3 % 3])
        values = {"max_new_tokens": 6 + i % 5, "top_p": 0.9 if i % 4 == 0 else 1.0, **more}
        made.append(Request(f"r{i:03d}", ids, temperature=temperature, seed=i * 7919, steer=steer, **values))
    return made


def answers(backend: TransformersBackend, made: list[Request]) -> dict[str, Result]:
    return {result.id: result for result in backend.generate(made)}


def test_draws_do_not_depend_on_length_or_company() -> None:
    long = draw_uniforms([5, 6], 40)
    assert torch.equal(draw_uniforms([6], 7)[0], long[1, :7])
    assert not torch.equal(long[0], long[1])


def test_inverse_cdf_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.2, 0.3]])).expand(6, 3)
    uniforms = torch.tensor([0.0, 0.49, 0.51, 0.71, 0.99, 0.3], dtype=torch.float64)
    warm, whole = torch.tensor([1.0] * 5 + [0.0]), torch.ones(6)
    assert sample_tokens(logits, warm, whole, uniforms).tolist() == [0, 0, 1, 2, 2, 0]
    # top_p .6 keeps tokens 0 and 2, with .625 and .375
    kept = sample_tokens(logits, warm, torch.full((6,), 0.6), uniforms)
    assert kept.tolist() == [0, 0, 0, 2, 2, 0]
    # temperature .5 squares: .25, .04, .09 of .38
    cold = sample_tokens(logits, torch.full((6,), 0.5), whole, uniforms)
    assert cold.tolist() == [0, 0, 0, 1, 2, 0]


def test_sampled_frequencies_follow_the_model(backend: TransformersBackend) -> None:
    ids = (2, 15, 22)
    many = [Request(f"{i}", ids, 1, 1.0, 1.0, seed_of(1, i)) for i in range(3000)]
    first = [r.token_ids[0] if r.token_ids else backend.end_token for r in backend.generate(many)]
    with torch.inference_mode():
        expected = backend.model(input_ids=torch.tensor([ids])).logits[0, -1].softmax(0).numpy()
    seen = np.bincount(first, minlength=64) / 3000
    assert np.abs(seen - expected).max() < 4 * np.sqrt(0.25 / 3000)


@pytest.mark.parametrize("name", MODELS)
def test_mixed_batch_equals_rows_alone(name: str, tokenizer: Any, file: str, tmp_path: Path) -> None:
    save(tiny(name, seed=2), tokenizer, tmp_path)
    backend = TransformersBackend(tmp_path, 10_000, device="cpu")
    made = [*requests(9, 0.0, file), *requests(18, 1.0, file)[9:]]
    together = answers(backend, made)
    assert {len(batch) for batch in batches_of(made, 10_000)} == {18}
    for request in made:
        assert list(backend.generate([request])) == [together[request.id]], request
    unsteered = answers(backend, [Request(**{**vars(r), "steer": None}) for r in made])
    moved = sum(unsteered[r.id] != together[r.id] for r in made if r.steer)
    assert moved >= 4
    assert all(unsteered[r.id] == together[r.id] for r in made if r.steer is None)


def test_result_depends_neither_on_order_nor_on_batches(backend: TransformersBackend, file: str) -> None:
    made = requests(40, 1.0, file)
    first = answers(backend, made)
    random.Random(0).shuffle(made)
    assert list(backend.generate(made)) == list(backend.generate(sorted(made, key=lambda r: r.id)))
    for budget in (30, 200, 5000):
        backend.batch_tokens = budget
        try:
            assert answers(backend, made) == first
        finally:
            backend.batch_tokens = 600
    reasons = {r.finish_reason for r in first.values()}
    assert reasons == {"stop", "length"}, "the model must sometimes end by itself for this test to mean anything"
    for request in made:
        result = first[request.id]
        assert len(result.token_ids) <= request.max_new_tokens
        assert (result.finish_reason == "length") == (len(result.token_ids) == request.max_new_tokens)
        assert backend.end_token not in result.token_ids


def test_strength_zero_is_the_identity_and_positions_differ(backend: TransformersBackend, file: str) -> None:
    plain = requests(12)

    def steered(strength: float, positions: str) -> dict[str, Result]:
        ref = SteerRef(file, "a", (0, 2), strength, positions)
        return answers(backend, [Request(**{**vars(r), "steer": ref}) for r in plain])

    base = answers(backend, plain)
    for positions in ("generated", "last", "all"):
        assert steered(0.0, positions) == base
    moved = {p: steered(6.0, p) for p in ("generated", "last", "all")}
    assert moved["generated"] != moved["last"] != moved["all"] != base
    # the first token is predicted from the prompt, which `generated` leaves alone
    assert all(moved["generated"][k].token_ids[:1] == base[k].token_ids[:1] for k in base)
    assert any(moved["last"][k].token_ids[:1] != base[k].token_ids[:1] for k in base)


def test_bad_requests_are_refused_before_anything_runs(backend: TransformersBackend, file: str) -> None:
    good = requests(3)

    def refuse(message: str, **change: Any) -> None:
        bad = Request(**{**vars(good[2]), "id": "bad", **change})
        with pytest.raises(InputError, match=message):
            next(backend.generate([*good, bad]))

    refuse(r"'bad': prompt of 63 tokens and 8 new ones exceed the model's 64", prompt_token_ids=(2,) * 63)
    refuse("'bad': the prompt has no tokens", prompt_token_ids=())
    refuse("'bad': a prompt token is not in", prompt_token_ids=(2, 64))
    refuse("steers layers", steer=SteerRef(file, "a", (3,), 1.0))
    refuse("positions 'prompt'", steer=SteerRef(file, "a", (0,), 1.0, "prompt"))
    refuse("no steering vector 'c'", steer=SteerRef(file, "c", (0,), 1.0))
    refuse("not a whole vectors file", steer=SteerRef(file + "x", "a", (0,), 1.0))
    refuse("occurs twice", id="r000")


def test_out_of_memory_halves_down_to_one(backend: TransformersBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    made, whole, sizes = requests(16), backend._answer, []
    expected = answers(backend, made)

    def limited(most: int) -> None:
        def answer(batch: Any, tables: Any) -> Any:
            sizes.append(len(batch))
            if len(batch) > most:
                raise torch.OutOfMemoryError("no memory")
            return whole(batch, tables)

        monkeypatch.setattr(backend, "_answer", answer)

    limited(3)
    assert answers(backend, made) == expected and max(sizes) == 16 and min(sizes) == 2
    limited(0)
    with pytest.raises(InputError, match=r"request 'r\d+' \(\d tokens|request 'r\d+' \(\d prompt tokens\)"):
        answers(backend, made)


def test_batches_keep_the_budget() -> None:
    made = requests(50)
    for batch in batches_of(made, 90):
        size = max(len(r.prompt_token_ids) for r in batch) + max(r.max_new_tokens for r in batch)
        assert len(batch) == 1 or len(batch) * size <= 90
    assert sorted(r.id for batch in batches_of(made, 1) for r in batch) == [r.id for r in made]


def test_log_perplexity_against_a_loop(backend: TransformersBackend) -> None:
    tokenizer, model = backend.tokenizer, backend.model
    prompts = ["waa wab", "waa wab wac wad", "waa"]
    texts = ["wba wbb wbc", "wca", ""]
    for budget in (4, 1000):
        found = log_perplexities(model, tokenizer, prompts, texts, budget)
        assert np.isnan(found[2])
        for i in (0, 1):
            ids = tokenizer(f"{prompts[i]}", add_special_tokens=False)["input_ids"]
            losses = []
            for token in tokenizer(texts[i], add_special_tokens=False)["input_ids"]:
                with torch.inference_mode():
                    logits = model(input_ids=torch.tensor([ids])).logits[0, -1]
                losses.append(-logits.log_softmax(0)[token].item())
                ids = [*ids, token]
            assert found[i] == pytest.approx(np.mean(losses), abs=1e-5)


def test_repetition_by_hand() -> None:
    assert repetition("a b") == 0
    assert repetition("a b c d") == 0
    # abc bca cab abc: one of four repeats
    assert repetition("A b c a B c") == pytest.approx(1 / 4)


# planning


def corpus() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    rows = [
        {"question_id": f"q{g}{i}", "question": f"waa {i}", "answer_id": f"{g}{i}{j}", "answer": "x",
         "author": None, "group": g, "part": "test" if i < 4 else "val"}
        for g in ("art", "bio_med", "chem") for i in range(6) for j in range(2)
    ]  # fmt: skip
    samples = pl.DataFrame(rows, schema_overrides={"author": pl.String})
    style = vectors(np.eye(3), "style")
    groups = pl.DataFrame({"group": ["art", "bio_med", "chem"], "style": style}).with_columns(
        pl.Series("distinctive", [["a1", "a0"], ["a2"], []], dtype=pl.List(pl.String))
    )
    catalogue = pl.DataFrame({"attribute_id": ["a0", "a1", "a2"], "attribute": ["wab", "wac", "wad"]})
    return samples, groups, catalogue


def plan(tokenizer: Any, **settings: Any) -> pl.DataFrame:
    samples, groups, catalogue = corpus()
    return plan_requests(samples, groups, catalogue, Prompts(), tokenizer, GenerationSettings(**settings), 1)


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
    settings = GenerationSettings(samples=1, targets="cross", questions_per_group=2)
    forth = plan_requests(samples, groups, catalogue, Prompts(), tokenizer, settings, 1)
    back = plan_requests(samples.reverse(), groups.reverse(), catalogue.reverse(), Prompts(), tokenizer, settings, 1)
    assert forth.equals(back)
    assert forth.group_by("question_group").agg(pl.col("question_id").n_unique())["question_id"].to_list() == [2] * 3
    assert set(plan(tokenizer, samples=1)["request_id"]) < set(plan(tokenizer, samples=2)["request_id"])
    assert questions_of(samples, ["art"], "val", None)["question_id"].sort().to_list() == ["qart4", "qart5"]
    with pytest.raises(InputError, match="group 'dance' has no val question"):
        questions_of(samples, ["dance"], "val", None)


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


# the program: killed and resumed


@pytest.fixture
def job(folder: Path, tokenizer: Any, tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    asked = plan(tokenizer, samples=3)
    write_table(asked, tmp_path / "requests.parquet", REQUESTS)
    rng = np.random.default_rng(0)
    keys = [(g, m) for g in ("art", "bio_med", "chem") for m in ("all", "random", "shuffled_all", "other_group_all")]
    unit = rng.standard_normal((len(keys) * 3, 32))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    steering = pl.DataFrame(
        {
            "group": [g for g, _ in keys for _ in range(3)],
            "method": [m for _, m in keys for _ in range(3)],
            "layer": pl.Series([0, 1, 2] * len(keys), dtype=pl.Int32),
            "vector": vectors(unit, "vector"),
        }
    )
    write_table(steering, tmp_path / "steering.parquet", STEERING)
    choice = {"method": "all", "layers": [1], "alpha": 0.8, "positions": "generated"}
    write_json({**choice, "residual_norms": [1.0, 2.0, 3.0], "fluent": True}, tmp_path / "choice.json")
    settings = GenerationSettings(samples=3, max_new_tokens=12, batch_tokens=400, buckets=12)
    flags = {"requests": "requests.parquet", "steering": "steering.parquet", "choice": "choice.json"}
    command = [sys.executable, str(SCRIPTS / "generate_answers.py"), "--lm", str(folder), "--dtype", "float32"]
    command += ["--backend", '{"backend": "transformers"}']
    command += [part for k, v in flags.items() for part in (f"--{k}", str(tmp_path / v))]
    yield tmp_path, [*command, "--settings", settings.model_dump_json()]


def test_killed_generation_resumes_byte_identically(job: tuple[Path, list[str]]) -> None:
    path, command = job
    env = {**os.environ, "OMP_NUM_THREADS": "1"}

    def start(name: str) -> subprocess.Popen[bytes]:
        more = ["--shard", "1-of-1", "--cache", str(path / name), "--generations", str(path / f"{name}.parquet")]
        return subprocess.Popen([*command, *more], env=env, stderr=subprocess.PIPE)

    killed = start("killed")
    first = path / "killed"
    deadline = time.monotonic() + 120
    while len(list(first.glob("0*.parquet"))) < 2 and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL and not (path / "killed.parquet").exists()
    kept = {p: p.stat().st_mtime_ns for p in first.glob("0*.parquet")}
    assert 2 <= len(kept) < 12
    resumed = start("killed")
    inputs = {"requests": "requests.parquet", "steering": "steering.parquet", "choice": "choice.json"}
    paths = {**{k: [path / v] for k, v in inputs.items()}, "lm": [Path(command[3])]}
    options = {"dtype": "float32", "shard": "1-of-1", "cache": str(path / "straight")}
    options["backend"] = command[command.index("--backend") + 1]
    settings = GenerationSettings.model_validate_json(command[-1])
    out = {"generations": path / "straight.parquet"}
    digest = digest_of(json.loads(command[-1]))
    generate_answers.main(Job("generate_answers", settings, paths, out, options, 0, 1, "", None, digest))
    _, errors = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, errors.decode()
    assert {p: p.stat().st_mtime_ns for p in kept} == kept, "what was done must not be done again"
    frames = [pl.read_parquet(path / f"{name}.parquet") for name in ("straight", "killed")]
    assert frames[0].equals(frames[1])
    for piece in sorted((path / "straight").glob("0*.parquet")):
        assert piece.read_bytes() == (first / piece.name).read_bytes()
    asked = pl.read_parquet(path / "requests.parquet")
    done = gather([frames[0]], asked)
    assert set(done["method"].drop_nulls()) == {"all", "random", "shuffled_all", "other_group_all"}
    rows = {c: done.filter(pl.col("condition") == c)["text"].to_list() for c in ("question", "steered")}
    assert rows["question"] != rows["steered"]

    write_table(done, path / "all.parquet", GENERATIONS)
    paths = {"generations": [path / "all.parquet"], "lm": [Path(command[3])]}
    out = {"fluency": path / "fluency.parquet"}
    measure_fluency.main(Job("measure_fluency", settings, paths, out, options, 1, 1, "", None))
    fluency = read_table(path / "fluency.parquet", FLUENCY)
    assert fluency["request_id"].equals(done["request_id"])
    assert fluency["log_perplexity"].is_null().to_list() == (done["text"] == "").to_list()
