"""What it takes to answer with an experiment's vectors, from a run or from an export, and the two answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sociolect.common.artifacts import read_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import STEERING
from sociolect.export.as_added import added_vectors, steering_with, unit_vectors
from sociolect.export.recipe import Recipe, check_weights, read_recipe, recipe_of
from sociolect.generation.choice import read_choice
from sociolect.lm.requests import Request, Result, write_vectors
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import Wording, open_wording
from sociolect.models.loading import load_tokenizer
from sociolect.settings.config import Config

__all__ = [
    "GROUP_VECTORS",
    "MODEL",
    "PROMPTS",
    "RECIPE",
    "Kit",
    "answer_twice",
    "kit_of_export",
    "kit_of_run",
    "one_of",
]

GROUP_VECTORS, RECIPE, PROMPTS, MODEL = "groups.safetensors", "steering.json", "prompts.yaml", "model"


@dataclass(frozen=True)
class Kit:
    """Recipe, and where model, vectors (as added, a key per group) and prompt file lie."""

    recipe: Recipe
    model: Path
    vectors: Path
    prompts: Path

    def wording(self, tokenizer: object) -> Wording:
        """How the model is asked."""
        chat = self.recipe.style == "chat"
        return open_wording(
            tokenizer,
            self.recipe.style,
            self.prompts if chat else None,
            None if chat else self.prompts,
            self.recipe.date,
        )


def kit_of_run(config: Config, run: Path, experiment: str, folder: Path) -> Kit:
    """The kit of a run that has ended, its vectors written into a folder.

    Args:
        config: of the run.
        run: results/<run>.
        experiment: one of the config's.
        folder: where the vectors are written.

    Raises:
        InputError: a file of the run is missing or damaged.
    """
    chosen = run / f"steering/{experiment}.choice.json"
    if not chosen.is_file():
        raise InputError(f"{chosen}: no such file; the run has not come so far: make run first")
    choice, steering = read_choice(chosen), read_table(run / f"steering/{experiment}.parquet", STEERING)
    write_vectors(added_vectors(steering, choice), folder / GROUP_VECTORS)
    model = run / "models/lm"
    style = open_wording(load_tokenizer(model), config.prompts.style).style
    prompts = Path(config.generation.prompt_file if style == "chat" else config.prompts.document_file)
    recipe = recipe_of(config, experiment, model, style, choice, tuple(unit_vectors(steering, choice.method)))
    return Kit(recipe, model, folder / GROUP_VECTORS, prompts)


def kit_of_export(export: Path, experiment: str | None, model: Path | None) -> Kit:
    """The kit of an export.

    Args:
        export: its folder.
        experiment: its name; may be None where there is one.
        model: folder of the language model; None where the export has it.

    Raises:
        InputError: no such export, experiment or model, or another model than that of the vectors.
    """
    known = sorted(path.parent.name for path in export.glob(f"vectors/*/{RECIPE}"))
    if not known:
        raise InputError(f"{export}: not an export, which has vectors/<experiment>/{RECIPE}; make export writes one")
    folder = export / "vectors" / one_of(known, experiment, "EXPERIMENT")
    recipe = read_recipe(folder / RECIPE)
    where = model or export / MODEL
    if not where.is_dir():
        raise InputError(
            f"{where}: no such folder; the vectors belong to {recipe.model}: give MODEL=<folder with that model>"
        )
    check_weights(recipe, where)
    return Kit(recipe, where, folder / GROUP_VECTORS, folder / PROMPTS)


def one_of(known: Sequence[str], wanted: str | None, what: str) -> str:
    """The wanted name, or the only one there is.

    Raises:
        InputError: no such name, or none is wanted and there are several; it lists them.
    """
    if wanted in known:
        return str(wanted)
    if not wanted and len(known) == 1:
        return known[0]
    raise InputError(f"{what} {wanted or ''!r}: choose one of {', '.join(known)}")


def answer_twice(kit: Kit, group: str, question: str) -> dict[str, Result]:
    """Greedy answers to a question, `unsteered` and `steered`; in float32 and each by itself, so that no batch rounds
    them.

    Raises:
        InputError: the group has no vector, nothing is asked, or the model cannot answer.
    """
    if group not in kit.recipe.groups:
        raise InputError(f"GROUP {group!r}: no vector for it; choose one of {', '.join(kit.recipe.groups)}")
    if not question.strip():
        raise InputError("PROMPT is empty; write a question")
    backend = TransformersBackend(kit.model, 1, "float32")
    wording = kit.wording(backend.tokenizer)
    prompt = wording.render("question", question[: kit.recipe.max_question_chars], group, ())
    ids = tuple(wording.encode(prompt))
    steers = {"unsteered": None, "steered": steering_with(str(kit.vectors), group, kit.recipe.choice)}
    requests = [
        Request(name, ids, kit.recipe.max_new_tokens, 0.0, 1.0, 0, steer, stop=wording.stop)
        for name, steer in steers.items()
    ]
    found = {one.id: replace(one, text=wording.text_of(one.text)) for one in backend.generate(requests)}
    backend.close()
    return found
