"""Trials: a vector that is known to work is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import torch

from sociolect.common.artifacts import vectors
from sociolect.common.progress import Report
from sociolect.lm.requests import Request, Result
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import open_wording
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.steering import SweepSettings
from sociolect.steering.sweep import Setting, choose, search
from sociolect.steering.trials import Trials
from spoken import spaced_tokenizer
from tiny_models import save_tiny, tiny, word_tokenizer

torch.set_num_threads(1)


class Recording(TransformersBackend):
    """Remembers what it was asked; ends every other text as a document's is ended."""

    asked: tuple[Request, ...] = ()

    def generate(self, requests: Sequence[Request], progress: Report | None = None) -> Iterator[Result]:
        self.asked += tuple(requests)
        yield from (replace(result, text=f" {result.text}\n") for result in super().generate(requests, progress))


def test_a_base_model_is_tried_with_documents(tmp_path: Path) -> None:
    save_tiny(tiny("llama", seed=5), spaced_tokenizer(), tmp_path / "lm", sharper=30)
    backend = Recording(tmp_path / "lm", 2000, device="cpu")
    wording = open_wording(backend.tokenizer, "auto")
    questions = pl.DataFrame([{"question_id": f"q{i}", "question": "Why not?", "group": "x"} for i in range(3)])
    unit = vectors(np.eye(3, 32), "vector")
    steering = pl.DataFrame({"group": "x", "method": "all", "layer": pl.Series([0, 1, 2], dtype=pl.Int32)})
    seen: list[str] = []

    def nearest(texts: Sequence[str]) -> list[str]:
        seen.extend(texts)
        return ["x"] * len(texts)

    generation, file = GenerationSettings(max_new_tokens=8, batch_tokens=2000), tmp_path / "v.safetensors"
    frame = steering.with_columns(unit)
    trials = Trials(backend, backend, questions, frame, wording, generation, nearest, "last", file, 1)
    trials.evaluate([Setting("all", (1,), 0.5)])
    assert len(backend.asked) == 6 and {request.stop for request in backend.asked} == {wording.stop}
    words = wording.tokenizer.convert_ids_to_tokens(backend.asked[0].prompt_token_ids)
    assert words == ["<s>", "Question:", " Why", " not?", "\n", "Answer:"]
    assert seen and seen == [text.strip() for text in seen]


def test_a_vector_that_is_known_to_work_is_chosen(tmp_path: Path) -> None:
    """Each group has a word of its own; `distinctive` points at that word's output row, `all` at another word's."""
    tokenizer, model = word_tokenizer(), tiny("llama", seed=5)
    # after the final norm, a residual stream along a word's row then decides for that word
    save_tiny(model, tokenizer, tmp_path / "lm", sharper=30)
    own = {"x": "waa", "y": "wbb"}
    rows = model.get_output_embeddings().weight.detach()
    keys = [(g, m) for g in own for m in ("all", "distinctive")]
    toward = {("x", "distinctive"): "waa", ("y", "distinctive"): "wbb", ("x", "all"): "wcc", ("y", "all"): "wdd"}
    unit = torch.stack([rows[tokenizer.convert_tokens_to_ids("▁" + toward[key])] for key in keys for _ in range(3)])
    frame = pl.DataFrame(
        {
            "group": [g for g, _ in keys for _ in range(3)],
            "method": [m for _, m in keys for _ in range(3)],
            "layer": pl.Series([0, 1, 2] * 4, dtype=pl.Int32),
            "vector": vectors((unit / unit.norm(dim=1, keepdim=True)).numpy(), "vector"),
        }
    )
    questions = pl.DataFrame(
        [{"question_id": f"{g}{i}", "question": f"wa{'abcd'[i]}", "group": g} for g in own for i in range(4)]
    )

    def nearest(texts: Sequence[str]) -> list[str]:
        words = [text.split() for text in texts]
        return [max(("none", *own), key=lambda g, w=w: w.count(own.get(g, "")) + (g == "none")) for w in words]  # type: ignore[misc]

    backend = TransformersBackend(tmp_path / "lm", 2000, device="cpu")
    generation = GenerationSettings(max_new_tokens=8, batch_tokens=2000)
    file, wording = tmp_path / "v.safetensors", open_wording(tokenizer, None)
    trials = Trials(backend, backend, questions, frame, wording, generation, nearest, "last", file, 1)
    assert trials.base.hit_rate == 0 and len(trials.norms) == 3 and min(trials.norms) > 0
    sweep = SweepSettings(alphas=(0.0, 0.5, 40.0), max_log_perplexity_change=1e9, max_repetition=1.0, band=None)
    idle = trials.evaluate([Setting("all", (2,), 0.0)])[0]
    assert idle == trials.base, "strength 0 is the identity"
    found = search(trials.evaluate, ["all", "distinctive"], [(0,), (2,)], sweep, trials.base)
    chosen = choose(found, trials.base, sweep)
    assert (chosen.method, chosen.alpha) == ("distinctive", 40.0)
    assert found[chosen].correct_change_rate == 1 and found[Setting("all", chosen.layers, 40.0)].hit_rate == 0
    assert found[chosen].repetition > 0.5, "so strong a vector says one word only,"
    strict = SweepSettings(alphas=(0.5, 40.0), band=None, max_log_perplexity_change=1e9)
    assert choose(found, trials.base, strict).alpha == 0.5, "which the guard is for"
