"""The made-up corpus: questions and answers of six groups, in the same tables as a real corpus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.random import Generator

from sociolect.common.seeds import seed_of
from sociolect.corpus.demo.prose import TOPICS, write_answer, write_question
from sociolect.corpus.demo.truth import GROUPS, demo_truth
from sociolect.settings.corpus import DemoSettings

SPLITS = ("single", "multi", "askx")
# Authors stray from their group's rates as draws from Beta(k * rate, k * (1 - rate)): mean kept, deviation
# sqrt(rate * (1 - rate) / (k + 1)).
AUTHOR_CONCENTRATION = 12.0
UNKNOWN_AUTHOR_SHARE = 0.02
# Authors and questions form circles that nobody leaves, so that the parts can be disjoint in both.
AUTHORS_PER_CIRCLE = 2


@dataclass(frozen=True)
class DemoCorpus:
    """The made-up corpus and what is true of it.

    Attributes:
        frames: per split (single, multi, askx) question_id, question, answer_id, answer, author, group.
        truth: group, attribute, rate, kind, alike; see `sociolect.corpus.demo.truth.demo_truth`.
        planted: answer_id, attributes (list): what was written into each answer.
        topics: question_id, topic.
    """

    frames: dict[str, pl.DataFrame]
    truth: pl.DataFrame
    planted: pl.DataFrame
    topics: pl.DataFrame


@dataclass(frozen=True)
class _Author:
    name: str
    group: str
    rates: dict[str, float]


def make_demo_corpus(settings: DemoSettings, seed: int) -> DemoCorpus:
    """Write the made-up corpus.

    Topics are drawn independently of groups, each style attribute independently of the others, per answer, at
    its author's rate. A question of `single` has one answer; one of `multi` has answers of several groups;
    one of `askx` is put to one group.

    Args:
        settings: sizes.
        seed: run seed; the same seed gives the same bytes.
    """
    truth = demo_truth()
    rates = {
        group: {row["attribute"]: row["rate"] for row in part.iter_rows(named=True)}
        for (group,), part in truth.group_by("group", maintain_order=True)
    }
    n_circles = max(1, settings.answers_per_group // (AUTHORS_PER_CIRCLE * settings.questions_per_author))
    circles = [_circle(c, rates, seed) for c in range(n_circles)]
    frames, planted, topics = {}, [], []
    for split in SPLITS:
        rows = []
        for index, (circle, groups) in enumerate(_askings(split, settings, n_circles, seed)):
            question_id = f"{split}-q{index:05d}"
            rng = np.random.default_rng(seed_of(seed, "demo", "question", question_id))
            topic = sorted(TOPICS)[int(rng.integers(len(TOPICS)))]
            question = write_question(topic, rng)
            topics.append({"question_id": question_id, "topic": topic})
            for k, author in enumerate(_answerers(circles[circle], groups, rng)):
                has = {a for a, rate in author.rates.items() if rng.random() < rate}
                answer_id = f"{question_id}-a{k}"
                known = rng.random() >= UNKNOWN_AUTHOR_SHARE
                rows.append(
                    {
                        "question_id": question_id,
                        "question": question,
                        "answer_id": answer_id,
                        "answer": write_answer(topic, has, rng),
                        "author": author.name if known else None,
                        "group": author.group,
                    }
                )
                planted.append({"answer_id": answer_id, "attributes": sorted(has)})
        frames[split] = pl.DataFrame(rows, schema_overrides={"author": pl.String}).sort("answer_id")
    return DemoCorpus(
        frames,
        truth,
        pl.DataFrame(planted, schema_overrides={"attributes": pl.List(pl.String)}).sort("answer_id"),
        pl.DataFrame(topics).sort("question_id"),
    )


def _circle(index: int, rates: dict[str, dict[str, float]], seed: int) -> list[_Author]:
    """A few authors of every group who answer each other's questions and nobody else's."""
    authors = []
    for group in GROUPS:
        for k in range(AUTHORS_PER_CIRCLE):
            name = f"{group}-{index:04d}-{k}"
            rng = np.random.default_rng(seed_of(seed, "demo", "author", name))
            own = {
                a: float(rng.beta(AUTHOR_CONCENTRATION * p, AUTHOR_CONCENTRATION * (1 - p)))
                for a, p in sorted(rates[group].items())
            }
            authors.append(_Author(name, group, own))
    return authors


def _askings(split: str, settings: DemoSettings, n_circles: int, seed: int) -> Iterator[tuple[int, list[str]]]:
    """Circle and groups of the answers of each question, the groups balanced."""
    n = settings.answers_per_question
    if split == "single":
        for i in range(settings.answers_per_group):
            yield from ((i % n_circles, [group]) for group in GROUPS)
    elif split == "askx":
        for i in range(settings.askx_questions_per_group):
            yield from ((i % n_circles, [group] * n) for group in GROUPS)
    else:
        # Round by round, so that every group gets its number and all pairs of groups meet.
        order = np.random.default_rng(seed_of(seed, "demo", "multi groups"))
        rounds = settings.multi_answers_per_group
        slots = [GROUPS[int(i)] for _ in range(rounds) for i in order.permutation(len(GROUPS))]
        for i, start in enumerate(range(0, len(slots), n)):
            yield i % n_circles, slots[start : start + n]


def _answerers(circle: list[_Author], groups: list[str], rng: Generator) -> list[_Author]:
    """One author of the circle per answer, nobody twice while there is somebody else."""
    chosen: list[_Author] = []
    for group in groups:
        members = [a for a in circle if a.group == group]
        fresh = [a for a in members if a not in chosen] or members
        chosen.append(fresh[int(rng.integers(len(fresh)))])
    return chosen
