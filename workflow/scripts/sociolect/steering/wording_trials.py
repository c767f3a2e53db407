"""Several wordings of the same instructions, tried on val: prompting at its best is what steering is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from sociolect.lm.requests import Backend
from sociolect.lm.wording_files import Instructions, read_wordings
from sociolect.lm.wordings import Wording
from sociolect.settings.generation import GenerationSettings
from sociolect.steering.sweep import Outcome
from sociolect.steering.trials import Judge, Perplexity, outcome_of

__all__ = ["KIND", "best_wording", "read_instructions", "wording_outcomes"]

KIND = "question+group+attributes"


def read_instructions(path: Path, configured: Wording) -> list[Instructions]:
    """The configured wording, then those of workflow/prompts/wordings.yaml.

    Raises:
        InputError: the file is not as it should be, or a wording lacks its slot.
    """
    own = Instructions(
        group_instruction=configured.prompts.group_instruction,
        attributes_instruction=configured.prompts.attributes_instruction,
    )
    return [own, *read_wordings(path)]


def wording_outcomes(
    found: Sequence[Instructions],
    unsteered: pl.DataFrame,
    styles: Mapping[str, Sequence[str]],
    wording: Wording,
    backend: Backend,
    settings: GenerationSettings,
    judge: Judge,
    perplexity: Perplexity,
) -> list[Outcome]:
    """What each wording does to the val questions, asked for their own group and for another one.

    Args:
        found: wordings.
        unsteered: UNSTEERED.
        styles: group -> attributes that its prompt names.
        wording: as configured.
        backend: generates.
        settings: lengths, temperature.
        judge: of style, and the topic probe.
        perplexity: given the bare question, as in the table.
    """
    asked = pl.concat([unsteered.with_columns(target=pl.col(column)) for column in ("group", "cross")])
    before, outcomes = judge(asked["text"].to_list()), []
    for one in found:
        own = wording.worded(**one.model_dump())
        prompts = [
            own.render(KIND, question[: settings.max_question_chars], target, styles[target])
            for question, target in asked.select("question", "target").iter_rows()
        ]
        requests = own.requests(
            prompts, asked["seed"].to_list(), settings.max_new_tokens, settings.temperature, settings.top_p
        )
        said = {result.id: own.text_of(result.text) for result in backend.generate(requests)}
        texts = [said[request.id] for request in requests]
        values = [float(v) for v in perplexity(asked["prompt"].to_list(), texts)]
        groups, targets = asked["group"].to_list(), asked["target"].to_list()
        questions = asked["question_id"].to_list()
        outcomes.append(outcome_of(groups, targets, texts, judge(texts), before, values, questions))
    return outcomes


def best_wording(found: Sequence[Instructions], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What wording.json holds: the wording that gains most, the first of several, and the figures of all."""
    best = max(range(len(found)), key=lambda i: (outcomes[i].gain, -i))
    tried = [
        {
            **one.model_dump(),
            "n": outcome.n,
            "gain": outcome.gain,
            "gain_own": outcome.gain_own,
            "gain_cross": outcome.gain_cross,
            "topic_loss": outcome.topic_loss,
            "log_perplexity": outcome.log_perplexity,
        }
        for one, outcome in zip(found, outcomes, strict=True)
    ]
    return {"chosen": found[best].model_dump(), "number": best, "tried": tried}
