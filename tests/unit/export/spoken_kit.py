"""A kit with a tiny model that feels what is added to it, and the steering that a run would have asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from sociolect.common.artifacts import vectors
from sociolect.export.as_added import added_vectors
from sociolect.export.kit import Kit
from sociolect.export.recipe import Recipe, weights_of
from sociolect.generation.choice import Choice
from sociolect.lm.requests import SteerRef, write_vectors
from sociolect.settings.prompting import PROMPT_DATE
from sociolect.steering.vectors_file import scaled_vectors, vector_key
from tiny_models import save_speaker, word_tokenizer

QUESTION = "wab wbd waj"
LAYERS, WIDTH = 3, 32


def steering_frame(groups: tuple[str, ...] = ("blue", "red")) -> pl.DataFrame:
    """STEERING of a method `all` and one other, with random directions."""
    rows = np.random.default_rng(5).standard_normal((2 * len(groups) * LAYERS, WIDTH))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    keys = [(group, method) for group in groups for method in ("all", "random")]
    return pl.DataFrame(
        {
            "group": [group for group, _ in keys for _ in range(LAYERS)],
            "method": [method for _, method in keys for _ in range(LAYERS)],
            "layer": pl.Series(list(range(LAYERS)) * len(keys), dtype=pl.Int32),
            "vector": vectors(rows, "vector"),
            "floor": np.linspace(-0.5, 0.5, len(rows)),
        }
    )


def choice_of(
    mode: str = "add", positions: str = "all", layers: tuple[int, ...] = (0, 2), alpha: float = 0.3
) -> Choice:
    """A choice of the sweep; the strength divides into no round number."""
    return Choice(
        method="all", layers=layers, alpha=alpha, positions=positions, mode=mode,
        residual_norms=(3.3, 7.1, 11.7), fluent=True, methods={},
    )  # fmt: skip


def kit_in(folder: Path, choice: Choice) -> Kit:
    """Model, vectors as added and prompts in a folder; a document is completed."""
    model = save_speaker(folder / "lm", word_tokenizer())
    frame = steering_frame()
    write_vectors(added_vectors(frame, choice), folder / "groups.safetensors")
    (folder / "prompts.yaml").write_text('question_prompt: "waa {question}"\nstop: [wdd]\n')
    recipe = Recipe(
        run="made", experiment="main", model="a speaker", weights=weights_of(model), style="document",
        date=PROMPT_DATE, max_question_chars=100, max_new_tokens=12, choice=choice, groups=("blue", "red"),
    )  # fmt: skip
    return Kit(recipe, model, folder / "groups.safetensors", folder / "prompts.yaml")


def as_in_the_run(folder: Path, choice: Choice, group: str) -> SteerRef:
    """The steering of a run's request, with its own vectors file."""
    path = folder / "run.safetensors"
    write_vectors(scaled_vectors(steering_frame(), choice.residual_norms), path)
    return SteerRef(str(path), vector_key("all", group), choice.layers, choice.alpha, choice.positions, choice.mode)
