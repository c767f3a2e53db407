"""The plan: requests of the eight conditions and of their controls."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from sociolect.common.schemas import REQUESTS
from sociolect.common.seeds import seed_of, stable_hash
from sociolect.corpus.questions import next_group, other_groups, questions_of
from sociolect.generation.conditions import EXAMPLES, Condition, conditions_of, method_row
from sociolect.lm.wordings import Wording
from sociolect.settings.generation import GenerationSettings

__all__ = ["Prompting", "examples_of", "plan_requests"]


@dataclass(frozen=True)
class Prompting:
    """What prompts are made of.

    Attributes:
        wording: of the prompts; best: the one that val chose.
        styles: group -> its style attributes, each the X of "You use X.".
        examples: group -> example answers with their questions, (question, answer), in the order of use.
        context: longest prompt and output together; None for no limit.
    """

    wording: Wording
    best: Wording
    styles: Mapping[str, Sequence[str]]
    examples: Mapping[str, Sequence[tuple[str, str]]]
    context: int | None

    def render(self, how: Condition, question: str, group: str, settings: GenerationSettings) -> str:
        """The prompt of a condition; of the examples as many as leave room for an answer.

        Raises:
            InputError: unknown kind.
        """
        text = question[: settings.max_question_chars]
        if how.kind != EXAMPLES:
            wording = self.best if how.best_wording else self.wording
            return wording.render(how.kind, text, group, self.styles[group])
        # of examples that are too long for the model, the first go
        shown = list(self.examples[group])
        while True:
            prompt = self.wording.render_examples(text, shown)
            room = self.context is None or len(self.wording.encode(prompt)) + settings.max_new_tokens <= self.context
            if room or not shown:
                return prompt
            shown = shown[1:]


def examples_of(samples: pl.DataFrame, groups: Sequence[str], n: int, chars: int) -> dict[str, list[tuple[str, str]]]:
    """Example answers of each group: its `n` train answers of the smallest hash, one per question, cut to length.

    Args:
        samples: SAMPLES of the split that is asked.
        groups: names.
        n: answers per group.
        chars: longest question, and longest answer, in characters.
    """
    train = samples.filter((pl.col("part") == "train") & pl.col("group").is_in(list(groups)))
    rank = pl.Series("rank", [stable_hash("example", a) for a in train["answer_id"]], dtype=pl.UInt64)
    train = train.with_columns(rank).sort("rank").unique(["group", "question_id"], keep="first", maintain_order=True)
    return {
        group: [
            (question[:chars], answer[:chars])
            for question, answer in train.filter(pl.col("group") == group).head(n).select("question", "answer").rows()
        ]
        for group in groups
    }


def plan_requests(
    samples: pl.DataFrame,
    groups: Sequence[str],
    methods: Mapping[str, Collection[str]],
    prompting: Prompting,
    settings: GenerationSettings,
    run_seed: int,
    adapters: bool = False,
) -> pl.DataFrame:
    """All requests of an experiment (REQUESTS), sorted by question group, question, target, condition, sample.

    Every condition has the same questions, groups and samples; only a method that cannot steer a group has none for
    it. The seed is that of question and sample, the same for all conditions and targets.

    Args:
        samples: SAMPLES of the split that is asked.
        groups: names.
        methods: method that gets a row of its own -> groups that it can steer.
        prompting: what prompts are made of.
        settings: questions, samples, targets.
        run_seed: config key `seed`.
        adapters: whether trained adapters answer, too.

    Raises:
        InputError: a group has no test question.
    """
    names, conditions = sorted(groups), conditions_of(list(methods), adapters)
    cannot = {method_row(m): set(names) - set(able) for m, able in methods.items()}
    asked = questions_of(samples, names, "test", settings.questions_per_group)
    others = other_groups(asked, names)
    rows: list[dict[str, Any]] = []
    for (question_id, question, group), other in zip(asked.iter_rows(), others, strict=True):
        wanted = {"own": [group], "drawn": [group, other], "cross": names}[settings.targets]
        rendered: dict[tuple[str, bool, str], str] = {}
        for target in wanted:
            for condition, how in conditions.items():
                if (target != group and not how.cross) or target in cannot.get(condition, ()):
                    continue
                named = (next_group(target, names) or target) if how.other_prompt else target
                key = how.kind, how.best_wording, named
                if key not in rendered:
                    rendered[key] = prompting.render(how, question, named, settings)
                for sample in range(settings.samples):
                    purpose = ("generation", question_id, sample, *(["other"] if how.other_seed else []))
                    name = stable_hash("request", question_id, group, target, condition, sample)
                    rows.append(
                        {
                            "request_id": f"{name:016x}",
                            "question_id": question_id,
                            "question_group": group,
                            "target": target,
                            "condition": condition,
                            "sample": sample,
                            "prompt": rendered[key],
                            "seed": seed_of(run_seed, *purpose),
                            "method": how.method,
                        }
                    )
    return REQUESTS.frame(rows).sort("question_group", "question_id", "target", "condition", "sample")
