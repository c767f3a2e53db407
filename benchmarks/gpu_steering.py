"""Generating on a GPU with the transformers backend, steered and not, beside `transformers.generate`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from comparing import speed_conditions, speed_rows
from engines import Answers, answers_of, generate_answers, peer_answers
from generation import AGREEING, share_of
from gpu_part import Part, copy_bandwidth
from language_models import N_VECTORS, SHAPES, Steered, Work, make_vectors, random_language_model, save_words
from measuring import Row, alternate
from sociolect.lm import transformers_backend
from sociolect.lm.transformers_backend import TransformersBackend

__all__ = ["time_steering"]

UNIT = "output tokens/s"
GENERATE, BACKEND = "transformers.generate", "transformers backend"
STEERED = {
    GENERATE: Steered(),
    BACKEND: Steered(),
    f"{BACKEND}, {N_VECTORS} vectors": Steered(N_VECTORS),
    f"{BACKEND}, {N_VECTORS} vectors, all layers": Steered(N_VECTORS, everywhere=True),
}
SAMPLED = ", sampled"


def backend_of(model: Any, folder: Path, batch_tokens: int, dtype: str) -> TransformersBackend:
    """The backend around a model in memory: 16 GB would take longer to write and to read than to measure.

    The folder has its config and its tokenizer; all but the reading of the weights is the product's own.
    """
    model.config.save_pretrained(folder)
    with patch.object(transformers_backend, "load_causal_lm", lambda *_: model):
        return TransformersBackend(folder, batch_tokens, dtype, str(model.device))


def time_steering(part: Part, name: str) -> None:
    """Tokens per second at one shape, the hooks' cost, and the step that memory alone would allow."""
    shape, dtype = SHAPES[name], "float32" if part.tiny else "bfloat16"
    n, new, prompt = (32, 3, (4, 12)) if part.tiny else (128, 32, (32, 128))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = random_language_model(shape, dtype, 512, part.device).requires_grad_(False)
        save_words(shape, folder)
        backend = backend_of(model, folder, n * (prompt[1] + new), dtype)
        make_vectors(model, folder / "vectors.safetensors")
        part.say(f"{shape.parameters / 1e9:.2f} billion weights made")
        work = Work(str(folder / "vectors.safetensors"), shape.layers, shape.vocabulary, n, prompt, new, 0.0)
        here: dict[str, Answers] = dict.fromkeys(STEERED, answers_of(backend)) | {GENERATE: generate_answers(model, n)}
        check_steering(part, name, backend, model, work)
        calls: dict[str, tuple[int, Callable[[], Any]]] = {}
        for contender, steered in STEERED.items():
            calls[contender] = n * new, _call(here[contender], work, steered)
        for contender in (GENERATE, BACKEND):
            drawn = replace(work, temperature=1.0)
            calls[contender + SAMPLED] = n * new, _call(here[contender], drawn, Steered(), top_p=0.95)
        for contender, (_, call) in calls.items():
            call()
            part.say(f"warm: {contender}")
        bandwidth = copy_bandwidth(part.device, 0.05 if part.tiny else 0.5)
        rounds = 2 if part.tiny else 3
        turns = alternate(calls, rounds, 0.0, part.device, part.say)
    item = 4 if part.tiny else 2
    floor = shape.parameters * item / bandwidth
    where = {
        "shape": f"Llama of {shape.parameters / 1e9:.2f} billion random weights ({name})",
        "dtype": dtype,
        "requests": n,
        "prompt_tokens": f"{prompt[0]} to {prompt[1]}",
        "new_tokens": new,
    }
    note = {"bandwidth_gb_per_s": round(bandwidth / 1e9, 1), "note": "weight bytes over the bandwidth of a copy"}
    part.add(Row("step floor", floor * 1e3, "ms", conditions={**where, **note}))
    for contender, mine in turns.items():
        conditions = {**where, **speed_conditions(mine), "temperature": 1.0 if contender.endswith(SAMPLED) else 0.0}
        step = n / mine.median
        part.add(
            *speed_rows(contender, turns, _baselines(contender), UNIT, conditions),
            Row(
                f"{contender}: step",
                step * 1e3,
                "ms per token of all requests, prompts included",
                conditions=conditions,
            ),
            Row(f"{contender}: floor share", floor / step, "step floor over step", conditions=conditions),
        )


def _baselines(contender: str) -> list[str]:
    end = SAMPLED if contender.endswith(SAMPLED) else ""
    return [GENERATE + end, BACKEND + end]


def _call(answer: Answers, work: Work, steered: Steered, top_p: float = 1.0) -> Callable[[], Any]:
    numbers = count(1)
    return lambda: answer([replace(r, top_p=top_p) for r in work.requests(next(numbers), steered)])


def check_steering(part: Part, name: str, backend: TransformersBackend, model: Any, work: Work) -> None:
    """First tokens against `transformers.generate`'s, unsteered and with one vector a call, and that vectors matter."""
    few = replace(work, n_requests=N_VECTORS, new_tokens=1)
    plain, peers = generate_answers(model, N_VECTORS), peer_answers(model, N_VECTORS)
    unsteered = _first(plain(few.requests(0, Steered())))
    for contender, steered in STEERED.items():
        if contender == GENERATE:
            continue
        requests = few.requests(0, steered)
        expected = _first(peers(requests)) if steered.vectors else unsteered
        found = _first(answers_of(backend)(requests))
        where: dict[str, Any] = {"shape": name, "requests": len(requests)}
        unit = "share of first tokens that are those of transformers.generate"
        part.check(f"{contender}: same token", share_of(found, expected), AGREEING, unit, at_least=True, **where)
        if steered.vectors:
            unit = "share of first tokens that are the unsteered ones"
            part.check(f"{contender}: unchanged", share_of(found, unsteered), AGREEING / 2, unit, **where)


def _first(answers: Mapping[str, Any]) -> dict[str, int]:
    return {key: int(ids[0]) for key, ids in answers.items()}
