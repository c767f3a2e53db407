"""Training an SFAM from scratch on a GPU: pairs per second by width and pairs of a step, and how busy the GPU is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from torch.profiler import ProfilerActivity, profile

from gpu_part import Part
from measuring import Row
from sociolect.common.progress import Report
from sociolect.estimate.probing import time_steps
from sociolect.estimate.sfam_probes import NEVER, random_pairs
from sociolect.scratch.deberta import build_deberta
from sociolect.settings.models import ScratchSfam
from sociolect.settings.sfam import SfamSettings
from sociolect.sfam.model import AgreementModel, Encoded, encode_attributes, encode_texts
from sociolect.sfam.pair_arrays import PairArrays
from sociolect.sfam.training import train_agreement
from workload import SEED, make_block

__all__ = ["time_training"]

UNIT = "pairs/s"


@dataclass(frozen=True)
class Contender:
    """A shape of SFAM, and how many pairs it learns from at a step."""

    width: int
    layers: int
    heads: int
    pairs: int

    @property
    def name(self) -> str:
        """In words, for the table."""
        return f"width {self.width}, {self.layers} blocks, {self.pairs} pairs a step"


# the default of config/scratch.yaml comes first
CONTENDERS = (Contender(64, 2, 4, 1024), Contender(64, 2, 4, 4096), Contender(256, 4, 8, 4096))
TINY = (Contender(16, 1, 2, 32), Contender(16, 1, 2, 64))
PER_ANSWER, MAX_TOKENS = 128, 192


def time_training(part: Part, name: str) -> None:
    """Rows of each contender: speed, and the share of the time that the GPU computes; `name` is full or tiny."""
    tiny = name == "tiny"
    attributes, answers = (24, 40) if tiny else (654, 128)
    tokenizer, block = make_block(answers, min(attributes, 64), 1, 64 if tiny else MAX_TOKENS)
    # what they say decides no speed
    sentences = [block.attributes[i % len(block.attributes)] for i in range(attributes)]
    pairs = random_pairs(answers, attributes, min(PER_ANSWER, attributes))
    speeds: dict[str, float] = {}
    for contender in TINY if tiny else CONTENDERS:
        shape = ScratchSfam(
            hidden=contender.width, layers=contender.layers, heads=contender.heads, max_positions=MAX_TOKENS
        )
        model = build_deberta(shape, tokenizer, 64 if tiny else MAX_TOKENS, n_outputs=2, seed=SEED)
        model.model.to(part.device)
        encoded = encode_texts(model, block.answers)
        encoded_attributes = encode_attributes(model, sentences)
        endless = SfamSettings(max_steps=NEVER, eval_steps=NEVER, batch_size=contender.pairs)

        train = partial(train_once, model, encoded, encoded_attributes, pairs, endless)

        found = [contender.pairs / time_steps(train, 0.2 if tiny else 2.0).rate for _ in range(2 if tiny else 3)]
        speeds[contender.name] = median(found)
        step = contender.pairs / median(found)
        where = {
            "shape": "SFAM from scratch",
            "answers": answers,
            "outputs": attributes,
            "min": min(found),
            "max": max(found),
            "step_ms": round(1e3 * step, 1),
        }
        first = next(iter(speeds))
        speed = Row(f"{contender.name}: speed", median(found), UNIT, conditions=where)
        part.add(speed, *([] if contender.name == first else [_against(speed, first, speeds[first])]))
        if part.device.type == "cuda":
            busy = Row(f"{contender.name}: busy share", busy_share(train, step), "share", conditions=where)
            part.add(busy)
        part.say(f"{contender.name}: {median(found):.3g} {UNIT}, {where['step_ms']} ms a step")


def train_once(
    model: AgreementModel,
    answers: Encoded,
    attributes: Encoded,
    pairs: PairArrays,
    settings: SfamSettings,
    report: Report,
) -> Any:
    """A training that tells of each of its steps."""
    return train_agreement(model, answers, attributes, pairs, settings, seed=0, progress=report)


def _against(row: Row, baseline: str, speed: float) -> Row:
    return Row(row.name, row.value, row.unit, baseline, (row.value or 0.0) / speed, row.conditions)


def busy_share(train: Callable[[Report], Any], seconds: float) -> float:
    """Share of a step's `seconds` in which the GPU computes; the start of the training is no part of it."""
    steps = 0

    def counted(report: Report) -> Any:
        def count(step: int, *said: Any) -> None:
            nonlocal steps
            steps = step
            report(step, *said)

        return train(count)

    with profile(activities=[ProfilerActivity.CUDA], acc_events=True) as seen:
        time_steps(counted, 0.5)
    computed = float(np.sum([event.self_device_time_total for event in seen.key_averages()])) / 1e6
    return computed / steps / seconds
