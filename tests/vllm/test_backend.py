"""vLLM against transformers, on tiny random models and a CPU: same tokens, nothing left behind, faults that are seen.

One engine at a time lives in this process. Run by an interpreter that has vLLM; skipped as a whole by others.
"""

from __future__ import annotations

import os
import random
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from sociolect.common.errors import InputError
from sociolect.lm import steering_slots, transformers_backend
from sociolect.lm.backends import open_backend
from sociolect.lm.draws import sample_tokens
from sociolect.lm.requests import Request, Result, SteerRef, write_vectors
from sociolect.lm.steering_check import check_steering, reference_of
from sociolect.lm.steering_slots import SlotEntry, SteeringSlots
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.vllm_backend import VllmBackend
from sociolect.settings.vllm import VllmSettings
from tiny_models import LAYERS, MODELS, WIDTH, need_vllm, prompt_of, requests_of, save_model, save_vectors, steerings

need_vllm()

torch.set_num_threads(1)
BLOCK = 128
# keys and values of a block: two of them, LAYERS, one head of 32, float32
BLOCK_GIB = BLOCK * 2 * LAYERS * 32 * 4 / 2**30
# prompts in several parts, and so few blocks that requests lose theirs
TIGHT: dict[str, Any] = {"batch_tokens": 64, "max_sequences": 8, "cache_gib": 7 * BLOCK_GIB}
ROOMY: dict[str, Any] = {"batch_tokens": 256, "max_sequences": 16}
# around a block's end, so that answers need another one, and up to several blocks
LENGTHS = [120, 5, 125, 300, 126, 118, 40, 124, 122, 230, 123, 9, 60, 127, 390, 119, 125, 33, 121, 124, 260, 126, 11]
LENGTHS += [117]
TIE = 1e-5


@dataclass
class World:
    """The models, their references and vectors, made when asked for; and the engine that is running now."""

    folder: Path
    models: dict[str, tuple[Path, TransformersBackend, str]] = field(default_factory=dict)
    asked: dict[str, tuple[list[Request], dict[str, Result], dict[str, list[float]]]] = field(default_factory=dict)
    running: tuple[Any, VllmBackend] | None = None

    def model(self, name: str) -> tuple[Path, TransformersBackend, str]:
        """Folder, reference and vectors file."""
        if name not in self.models:
            folder = save_model(name, self.folder / name)
            # a batch of one: every answer is made alone
            reference = TransformersBackend(folder, 1, device="cpu")
            self.models[name] = folder, reference, save_vectors(self.folder / f"{name}.safetensors", reference.model)
        return self.models[name]

    def greedy(self, name: str) -> tuple[list[Request], dict[str, Result], dict[str, list[float]]]:
        """Requests of all kinds, the reference's answers to each alone, and how far the best logit led."""
        if name not in self.asked:
            _, reference, file = self.model(name)
            made = requests_of(file, LENGTHS)
            wanted, leads = alone(reference, made)
            # there are answers, and steering matters to them: the tests can fail
            plain = answers(reference, [replace(request, steer=None) for request in made])
            assert sum(wanted[r.id] != plain[r.id] for r in made if r.steer) >= 16
            assert sum(len(result.token_ids) >= 5 for result in wanted.values()) >= 16
            assert name == "gemma2" or {r.finish_reason for r in wanted.values()} == {"stop", "length"}
            self.asked[name] = made, wanted, leads
        return self.asked[name]

    def engine(self, name: str, dtype: str = "float32", **settings: Any) -> VllmBackend:
        """The engine with these settings; another one is closed first."""
        key = name, dtype, sorted(settings.items())
        if self.running is None or self.running[0] != key:
            self.close()
            self.running = key, VllmBackend(self.model(name)[0], VllmSettings(**settings), dtype, threads=1)
        return self.running[1]

    def close(self) -> None:
        if self.running is not None:
            self.running[1].close()
            self.running = None


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("vllm"))
    with pytest.MonkeyPatch.context() as patch:
        # no compiled model of an earlier run is taken
        patch.setenv("VLLM_DISABLE_COMPILE_CACHE", "1")
        yield made
    made.close()


@dataclass
class Watch:
    """What the scheduler did: requests that lost their blocks, passes of each prompt, mixed passes, cached tokens."""

    preempted: list[tuple[str, int]] = field(default_factory=list)
    parts: Counter[str] = field(default_factory=Counter)
    mixed: int = 0
    cached: int = 0


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    from vllm.v1.core.kv_cache_manager import KVCacheManager
    from vllm.v1.core.sched.scheduler import Scheduler

    seen = Watch()
    preempt, schedule, lookup = Scheduler._preempt_request, Scheduler.schedule, KVCacheManager.get_computed_blocks

    def preempting(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        seen.preempted.append((name_of(request.request_id), request.num_output_tokens))
        return preempt(self, request, *args, **kwargs)

    def scheduling(self: Any, *args: Any, **kwargs: Any) -> Any:
        output = schedule(self, *args, **kwargs)
        kinds = set()
        for name, n in output.num_scheduled_tokens.items():
            request = self.requests[name]
            in_prompt = request.num_computed_tokens - n < request.num_prompt_tokens
            kinds.add(in_prompt)
            if in_prompt and request.num_preemptions == 0:
                seen.parts[name_of(name)] += 1
        seen.mixed += len(kinds) == 2
        return output

    def looking(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = lookup(self, *args, **kwargs)
        seen.cached += found[1]
        return found

    monkeypatch.setattr(Scheduler, "_preempt_request", preempting)
    monkeypatch.setattr(Scheduler, "schedule", scheduling)
    monkeypatch.setattr(KVCacheManager, "get_computed_blocks", looking)
    return seen


def name_of(internal: str) -> str:
    """Our id of a request, to which vLLM has added some letters."""
    return internal.rsplit("-", 1)[0]


def answers(backend: VllmBackend | TransformersBackend, made: Sequence[Request]) -> dict[str, Result]:
    found = {result.id: result for result in backend.generate(made)}
    assert set(found) == {request.id for request in made}
    return found


def alone(reference: TransformersBackend, made: Sequence[Request]) -> tuple[dict[str, Result], dict[str, list[float]]]:
    """The reference's answers, each made alone, and how far the best logit led at each token."""
    wanted, leads = {}, {}

    def leading(logits: torch.Tensor, *args: Any) -> torch.Tensor:
        best = logits[0].topk(2).values
        lead.append(float(best[0] - best[1]))
        return sample_tokens(logits, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transformers_backend, "sample_tokens", leading)
        for request in made:
            lead: list[float] = []
            wanted[request.id] = next(reference.generate([request]))
            leads[request.id] = lead
    return wanted, leads


def wrong(found: dict[str, Result], wanted: dict[str, Result], leads: dict[str, list[float]]) -> list[str]:
    """Names of the answers that are not the reference's, but for exact ties, which are warned of."""
    names = []
    for name, result in found.items():
        if result == wanted[name]:
            continue
        one, other = result.token_ids, wanted[name].token_ids
        at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        if leads[name][at] < TIE:
            warnings.warn(f"{name}: two logits are equal at token {at}, either may be taken", stacklevel=2)
        else:
            names.append(name)
    return names


# engines of their own: before those that several tests ask


# an engine of its own each: two kinds of norms and heads in CI, all with SOCIOLECT_LONG=1
@pytest.mark.parametrize("name", MODELS if os.environ.get("SOCIOLECT_LONG") == "1" else ("llama", "gemma2"))
def test_rounding_in_bfloat16_is_no_fault(name: str, world: World) -> None:
    assert 1e-4 < world.engine(name, "bfloat16", **ROOMY).worst_error < 0.35


def test_hooks_that_come_after_compilation_are_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from sociolect.lm.vllm_compiled_worker import CompiledWorker, Worker

    monkeypatch.setattr(CompiledWorker, "load_model", Worker.load_model)
    with pytest.raises(InputError, match=r"vLLM does not steer as transformers does: block 0 alone: .* by -?0\.00 of"):
        world.engine("llama", steering="compiled", **TIGHT)


# the same tokens


WAYS = [("llama", "eager", {"slots": 3}), ("llama", "one_vector", {}), ("llama", "compiled", {})]
# the last engine is the one that the next test asks first
WAYS += [(name, "eager", {}) for name in reversed(MODELS)]


@pytest.mark.parametrize(("name", "steering", "more"), WAYS, ids=lambda value: str(value or "all"))
def test_tokens_are_those_of_transformers(
    name: str, steering: str, more: dict[str, Any], world: World, watch: Watch
) -> None:
    made, wanted, leads = world.greedy(name)
    found = answers(world.engine(name, steering=steering, **TIGHT, **more), made)
    assert wrong(found, wanted, leads) == []
    # what it is about has happened
    assert watch.parts["r14"] >= 390 // 64 and watch.mixed > 0
    if steering != "one_vector" and not more:
        positions = {r.id: r.steer.positions if r.steer else None for r in made}
        assert any(positions[name] == "generated" and n > 0 for name, n in watch.preempted)


def test_sampled_answers_are_those_of_transformers_whatever_the_company(world: World, watch: Watch) -> None:
    _, reference, file = world.model("llama")
    made = requests_of(file, LENGTHS, temperature=1.0, top_p=0.9)
    wanted, _ = alone(reference, made)
    # parts of prompts and requests that start again draw nothing more
    assert answers(world.engine("llama", **TIGHT), made) == wanted
    assert watch.parts["r14"] >= 390 // 64 and any(n > 0 for _, n in watch.preempted)
    backend = world.engine("llama", **ROOMY)
    shuffled = random.Random(0).sample(made, len(made))
    assert shuffled != made and answers(backend, shuffled) == wanted
    for request in made:
        assert answers(backend, [request]) == {request.id: wanted[request.id]}
    # in turn with greedy ones and with other seeds, which draw otherwise
    company = [replace(r, id=f"other{i}", seed=i, temperature=float(i % 2)) for i, r in enumerate(made)]
    mixed = answers(backend, [r for pair in zip(company, made[:9], strict=False) for r in pair])
    assert all(mixed[r.id] == wanted[r.id] for r in made[:9])
    assert sum(mixed[f"other{i}"].token_ids != wanted[r.id].token_ids for i, r in enumerate(made[:9])) >= 7


def test_stop_strings_end_the_same_texts(world: World) -> None:
    _, reference, file = world.model("llama")
    made = requests_of(file, LENGTHS, temperature=1.0)
    plain, _ = alone(reference, made)
    # the third words of some answers, which others have at other places or not at all
    stop = tuple(sorted({words[2] for r in made[:8] if len(words := plain[r.id].text.split()) > 4}))
    wanted, _ = alone(reference, [replace(r, stop=stop) for r in made])
    assert {"stop_string", "length"} <= {r.finish_reason for r in wanted.values()}
    assert not any(string in result.text for string in stop for result in wanted.values())
    assert answers(world.engine("llama", **ROOMY), [replace(r, stop=stop) for r in made]) == wanted


# nothing left behind


def visits(file: str) -> list[list[Request]]:
    """Calls with the same prompts, of two blocks and more, under one steering after the other."""
    refs = steerings(file)
    order = [refs[1], None, refs[4], SteerRef(file, "a", (1,), 2.0, "all"), refs[3], refs[2], None, refs[1]]
    return [
        [Request(f"{call}-{i}", prompt_of(50 + i, 270 + 20 * i), 12, 0.0, 1.0, 0, ref) for i in range(4)]
        for call, ref in enumerate(order)
    ]


def test_cached_prefixes_stay_with_their_steering(world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    _, reference, file = world.model("llama")
    backend = world.engine("llama", **ROOMY)
    calls = visits(file)
    wanted, leads = alone(reference, [request for made in calls for request in made])

    def misses() -> list[str]:
        backend._engine.reset_prefix_cache()
        watch.cached = 0
        return [name for made in calls for name in wrong(answers(backend, made), wanted, leads)]

    assert misses() == []
    # the two calls that come again found their four prompts, two blocks of each
    assert watch.cached == 2 * 4 * 2 * BLOCK
    # without the salt the same calls go wrong: the test sees what it is for
    monkeypatch.setattr(VllmBackend, "_salt", lambda self, digest: "same for all")
    assert len(misses()) >= 8 and watch.cached == 7 * 4 * 2 * BLOCK
    backend._engine.reset_prefix_cache()


# the test at the start


def dead(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(steering_slots, "_adding", lambda module, args, output: None)


def after_load(change: Callable[[SteeringSlots], None]) -> Callable[[pytest.MonkeyPatch], None]:
    load = SteeringSlots.load

    def loading(self: SteeringSlots, entries: Sequence[SlotEntry]) -> None:
        load(self, entries)
        change(self)

    return lambda patch: patch.setattr(SteeringSlots, "load", loading)


def shift(slots: SteeringSlots) -> None:
    rows = [table.clone() for table in slots.tables]
    for layer, table in enumerate(slots.tables):
        table.copy_(rows[layer - 1])
    slots.steered = {(layer + 1) % len(rows) for layer in slots.steered}


def double(slots: SteeringSlots) -> None:
    for table in slots.tables:
        table.mul_(2)


def stale(patch: pytest.MonkeyPatch) -> None:
    load, loads = SteeringSlots.load, list[Sequence[SlotEntry]]()

    def loading(self: SteeringSlots, entries: Sequence[SlotEntry]) -> None:
        if not loads:
            load(self, entries)
        loads.append(entries)
        self.digests = {entry.slot: entry.digest for entry in entries}

    patch.setattr(SteeringSlots, "load", loading)


FAULTS = {
    "dead": (dead, r"block 0 alone: .*moved by -?0\.00 of"),
    "shifted": (after_load(shift), "block 0 alone: error"),
    "doubled": (after_load(double), "block 0 alone: error"),
    "stale": (stale, "other vectors in the same slots, one block: error"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_start_sees_what_does_not_steer(fault: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    backend, reference = world.engine("llama", **ROOMY), reference_of(world.model("llama")[1])
    assert check_steering(reference, backend._logits_of) < 1e-4
    inject, message = FAULTS[fault]
    inject(monkeypatch)
    with pytest.raises(InputError, match=f"vLLM does not steer as transformers does: {message}"):
        check_steering(reference, backend._logits_of)


# refusals


def test_what_cannot_be_answered_is_refused_before_anything_runs(
    world: World, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = world.model("llama")[2]
    backend = world.engine("llama", **ROOMY)
    watch.parts.clear()
    good, short = requests_of(file, [9] * 6), tmp_path / "short"
    write_vectors({"a": torch.ones(LAYERS - 1, WIDTH)}, short)

    def refuse(message: str, **change: Any) -> None:
        bad = replace(good[0], id="bad", **change)
        with pytest.raises(InputError, match=message):
            next(backend.generate([*good, bad]))
        assert not watch.parts and not backend._engine.has_unfinished_requests()

    refuse("'bad': prompt of 500 tokens and 20 new ones exceed the model's 512", prompt_token_ids=(2,) * 500)
    for layers in ((0,), (LAYERS - 1,)):
        refuse(r"'a' is \(3, 64\)", steer=SteerRef(str(short), "a", layers, 1.0))
    refuse("no steering vector 'z'", steer=SteerRef(file, "z", (0,), 1.0))
    # also if its turn is not in the first round
    monkeypatch.setattr(backend, "settings", VllmSettings(**ROOMY, slots=2))
    refuse("no steering vector 'z'", steer=SteerRef(file, "z", (0,), 1.0))


def test_an_abandoned_call_leaves_the_engine_usable(world: World) -> None:
    made, wanted, leads = world.greedy("llama")
    backend = world.engine("llama", **ROOMY)
    calls: list[tuple[int, int]] = []
    some = cast("Generator[Result]", backend.generate(made, lambda *call: calls.append(call)))
    assert next(some) in wanted.values() and next(some) in wanted.values() and calls == [(1, 24)]
    some.close()
    assert not backend._engine.has_unfinished_requests()
    # same ids, other steerings in the same slots
    again = made[::-1]
    assert wrong(answers(backend, again), wanted, leads) == []
    info = backend.info()
    assert info["backend"] == "vllm" and info["steering"] == "eager" and info["dtype"] == "float32"
    assert info["runner"].startswith("vllm.v1.worker.") and info["runner"].endswith("ModelRunner")


def test_requests_that_do_not_say_how_they_are_steered_stop(world: World) -> None:
    from vllm import SamplingParams
    from vllm.inputs.engine import tokens_input

    made, wanted, leads = world.greedy("llama")
    backend = world.engine("llama", **ROOMY)
    backend._engine.add_request("mute", tokens_input([2, 30, 31]), SamplingParams(extra_args={"another": 1}))
    with pytest.raises(RuntimeError, match=r"request mute.* does not say how it is steered"):
        backend._engine.step()
    backend._engine.abort_request(["mute"])
    slots = backend._load(made, None)
    backend._load(made[2:], None)
    with pytest.raises(RuntimeError, match=r"request r01.* asks for steering \w+; slot 1 holds another"):
        list(backend._run(made, slots, {}))
    assert wrong(answers(backend, made), wanted, leads) == []


def test_model_that_vllm_cannot_run_is_refused_with_a_way_out(world: World, tmp_path: Path) -> None:
    world.close()
    folder = save_model("llama", tmp_path / "narrow", head_dim=16)
    with pytest.raises(InputError, match=r"narrow: vLLM cannot run .*head_dim=16.*; set backend: transformers"):
        VllmBackend(folder, VllmSettings(**ROOMY), threads=1)
    with pytest.raises(InputError, match="--backend: 'backend': Input should be 'transformers' or 'vllm'"):
        open_backend('{"backend": "vlm"}', folder, 100, "float32", 1)
