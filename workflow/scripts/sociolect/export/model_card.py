"""The model card of an export: every sentence by rule from what the run found, also what failed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import polars as pl

from sociolect import __version__
from sociolect.common.artifacts import read_table
from sociolect.common.files import read_json
from sociolect.common.schemas import BY_JUDGE, COMPARISON, CONTRASTS, GROUPS
from sociolect.evaluation.judge_page import claim_of
from sociolect.evaluation.renderings import HEADER, cells, pipes
from sociolect.export.cards import render
from sociolect.export.recipe import Recipe
from sociolect.generation.choice import Choice
from sociolect.generation.conditions import BASELINE, STEERED
from sociolect.settings.config import Config
from sociolect.settings.models import Fetched, HubModel, WheelModel, name_of
from sociolect.steering.methods import METHODS

__all__ = ["experiment_values", "license_of", "limits_of", "model_card"]

# what steering does, beside what a prompt does and what means nothing
_SHOWN = (
    *(BASELINE, "question+group+attributes", STEERED, "question (other seed)", "steered (random)"),
    *("steered (topic)", "steered (shuffled)", "steered (other group)"),
)


def model_card(template: Path, config: Config, experiments: list[dict[str, Any]]) -> str:
    """README.md of an export.

    Args:
        template: model_card.md.j2.
        config: of the run.
        experiments: `experiment_values` of each.
    """
    model = config.models.lm
    return render(
        template,
        run=config.run,
        model=_named(model),
        base=model.repo if isinstance(model, HubModel) else None,
        license=license_of(model),
        own_model=model == "scratch",
        version=__version__,
        experiments=experiments,
    )


def experiment_values(config: Config, run: Path, recipe: Recipe, code: str | None) -> dict[str, Any]:
    """What the card says of an experiment.

    Args:
        config: of the run.
        run: results/<run>.
        recipe: of the experiment.
        code: ten lines that steer, if there are.

    Raises:
        InputError: a table of the run is missing or damaged.
    """
    name, choice = recipe.experiment, recipe.choice
    said = read_json(run / f"steering/{name}.choice.json")
    weights = read_json(run / f"steering/{name}.weights.json")
    groups = read_table(run / f"groups/{name}.parquet", GROUPS)
    tables = [read_table(run / f"comparison/{name}{kind}.parquet", COMPARISON) for kind in ("", ".controls")]
    rows = pl.concat(tables).filter(pl.col("condition").is_in(_SHOWN))
    judges = read_table(run / f"comparison/{name}.judges.parquet", BY_JUDGE)
    contrasts = read_table(run / f"comparison/{name}.judge_contrasts.parquet", CONTRASTS)
    return {
        "name": name,
        "groups": _groups(groups, weights["named"], recipe),
        "method": choice.method,
        "made": (METHODS[choice.method].__doc__ or "").strip().replace("\n", " "),
        "place": _place(choice),
        "why": said["why"],
        "code": code,
        "n": int(rows["n"].max()),  # type: ignore[arg-type]
        "confidence": f"{100 * config.evaluation.confidence:g} %",
        "table": pipes(HEADER, cells(rows)),
        "claim": claim_of(judges, contrasts),
        "damage": _damage(rows),
        "limits": limits_of(config, recipe, weights["warnings"]),
    }


def license_of(model: Fetched | str) -> str:
    """What there is to say of the license, which no run knows."""
    if isinstance(model, str):
        return "License: the model was trained from scratch by the run; whoever owns the corpus says what may be done."
    where = f"that of https://huggingface.co/{model.repo}" if isinstance(model, HubModel) else "the model's own"
    terms = f" (`{model.terms}`, beside the model)" if isinstance(model, WheelModel) and model.terms else ""
    return (
        f"License: {where}{terms} holds for the model, which is not in here, and may reach to vectors made of its "
        "activations; read it before you pass them on."
    )


def limits_of(config: Config, recipe: Recipe, warnings: list[str]) -> list[str]:
    """What these vectors are not, or do not do, one sentence each."""
    choice, found = recipe.choice, []
    if choice.alpha == 0:
        found.append(
            "No setting inside the guards of fluency and topic gained more than its standard error: the run chose not "
            "to steer, and these are zeros."
        )
    own = [text.removeprefix(f"{choice.method}: ") for text in warnings if text.startswith(f"{choice.method}: ")]
    found += [f"{text[:1].upper()}{text[1:]}." for text in own]
    if choice.mode != "add":
        found.append(
            f"Mode {choice.mode} is more than an addition: the vectors alone do not give the run's steering, "
            "`make steer` does; there are no control vectors."
        )
    elif 0 in choice.layers:
        found.append(
            "llama.cpp can add nothing to the output of block 0 and refuses these `.gguf` files; repeng takes them."
        )
    if choice.mode == "add" and choice.positions != "all":
        where = _WHERE[choice.positions]
        found.append(f"repeng, llama.cpp and vllm-lens add to all tokens, the run to {where}: stronger there.")
    found.append(f"The vectors mean something for {_named(config.models.lm)} alone, unquantized.")
    if config.corpus.source == "demo":
        found.append("The corpus is made up, with planted styles: nothing here says anything about people.")
    return found


_WHERE = {
    "all": "all tokens, of the prompt, too",
    "last": "the last token of the prompt and those that were generated",
    "generated": "the tokens that were generated",
}


def _place(choice: Choice) -> str:
    blocks = ", ".join(map(str, choice.layers))
    return (
        f"Mode `{choice.mode}`, at the output of block{'s' * (len(choice.layers) > 1)} {blocks} of "
        f"{len(choice.residual_norms)}, counted from 0, on {_WHERE[choice.positions]}. Strength alpha = "
        f"{choice.alpha:g}: alpha times the median residual norm of the block, over the number of blocks."
    )


def _named(model: Fetched | str) -> str:
    return "a small Llama trained from scratch by the run" if isinstance(model, str) else f"`{name_of(model)}`"


def _groups(groups: pl.DataFrame, named: dict[str, list[str]], recipe: Recipe) -> str:
    rows = [
        [
            group,
            "yes" if group in recipe.groups else "no: the method cannot steer it",
            str(answers),
            str(authors),
            ", ".join(named.get(group, ())),
        ]
        for group, answers, authors in groups.select("group", "n_answers", "n_authors").iter_rows()
    ]
    return pipes(("group", "vector", "train answers", "authors", "heaviest attributes"), rows)


def _damage(rows: pl.DataFrame) -> str:
    """Perplexity with and without steering, in a sentence; nothing where it was not measured."""
    found = dict(rows.select("condition", "log_perplexity").drop_nulls().iter_rows())
    if not {BASELINE, STEERED} <= set(found):
        return ""
    before, after = (math.exp(found[name]) for name in (BASELINE, STEERED))
    return f"Perplexity under the unsteered model: {after:.1f} steered, {before:.1f} without."
