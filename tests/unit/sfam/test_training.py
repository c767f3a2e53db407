"""Training: it learns, repeats itself and stops; balanced batches."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from agreeing import SENTENCES, WORDS, text_tokenizer
from transformers import PreTrainedTokenizerFast

from sociolect.common.errors import InputError
from sociolect.common.schemas import PAIRS
from sociolect.settings.sfam import SfamSettings
from sociolect.sfam.forward import score_index_pairs
from sociolect.sfam.model import AgreementModel, Encoded, encode_attributes, encode_texts
from sociolect.sfam.optimizing import warmup_linear
from sociolect.sfam.pair_arrays import index_pairs
from sociolect.sfam.training import answer_batches, balanced_batches, train_agreement
from tiny_models import tiny_agreement

# more threads only wait for each other on such small tensors
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return text_tokenizer()


def toy(
    tokenizer: PreTrainedTokenizerFast, late: bool = True, n_outputs: int = 2
) -> tuple[AgreementModel, Encoded, Encoded, Any]:
    """Answers with or without '!' and '?', of which two attributes speak."""
    rng = np.random.default_rng(0)
    marks = rng.random((240, 2)) < 0.5
    rows = [
        " ".join(rng.permutation([*rng.choice(WORDS[:6], 5), *["!"] * int(4 * m[0]), *["?"] * int(4 * m[1])]))
        for m in marks
    ]
    pairs = PAIRS.frame(
        [
            (
                f"i{i:03d}",
                f"a{k}",
                int(marks[i, k]),
                float(marks[i, k]),
                "positive" if marks[i, k] else "easy",
                part,
                False,
            )
            for i in range(240)
            for k in range(2)
            for part in ["train" if i < 160 else "val" if i < 200 else "test"]
        ]
    )
    agreement = tiny_agreement(tokenizer, n_outputs=n_outputs, late=late)
    encoded = encode_texts(agreement, rows), encode_attributes(agreement, SENTENCES[:2])
    return agreement, *encoded, index_pairs(pairs, [f"i{i:03d}" for i in range(240)], ["a0", "a1"])


SETTINGS = SfamSettings(
    max_tokens=40, batch_size=64, learning_rate=5e-3, max_steps=240, eval_steps=40, patience=10, warmup_share=0.05
)


@pytest.mark.parametrize(("late", "n_outputs"), [(True, 2), (False, 2), (True, 1)])
def test_training_learns_what_only_the_pair_tells(
    tokenizer: PreTrainedTokenizerFast, late: bool, n_outputs: int
) -> None:
    trained = train_agreement(*toy(tokenizer, late, n_outputs), SETTINGS, seed=1)
    assert trained.metrics["held_out_texts"]["all"]["auroc"] > (0.95 if late else 0.85)
    assert trained.metrics["held_out_texts"]["all"]["f1"] > 0.75
    assert trained.metrics["held_out_attributes"]["all"]["n"] == 0
    assert 0 < trained.threshold < 1
    assert trained.metrics["best_val_auroc"] == max(h["val_auroc"] for h in trained.history)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_graded_targets_are_what_is_learned_and_labels_what_is_judged(
    tokenizer: PreTrainedTokenizerFast, n_outputs: int
) -> None:
    agreement, answers, attributes, pairs = toy(tokenizer, n_outputs=n_outputs)
    assert pairs.target is None  # those of the labels
    graded = replace(pairs, target=np.where(pairs.label == 1, 0.7, 0.2))
    trained = train_agreement(agreement, answers, attributes, graded, SETTINGS, seed=1)
    test = graded.where(graded.part == "test")
    scores = score_index_pairs(trained.agreement, answers, attributes, test.answer, test.attribute, 4096)
    assert trained.metrics["held_out_texts"]["all"]["auroc"] > 0.95 and 0.2 < trained.threshold < 0.8
    for label, target in ((1, 0.7), (0, 0.2)):
        assert scores[test.label == label].mean() == pytest.approx(target, abs=0.08)


def test_training_is_deterministic_and_leaves_the_global_generator_alone(tokenizer: PreTrainedTokenizerFast) -> None:
    settings = SETTINGS.model_copy(update={"max_steps": 12, "eval_steps": 6})
    torch.manual_seed(5)
    first = train_agreement(*toy(tokenizer), settings, seed=1).agreement.digest
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.rand(1) == after
    assert train_agreement(*toy(tokenizer), settings, seed=1).agreement.digest == first
    assert train_agreement(*toy(tokenizer), settings, seed=2).agreement.digest != first


def test_training_stops_without_improvement_and_keeps_the_best(tokenizer: PreTrainedTokenizerFast) -> None:
    settings = SETTINGS.model_copy(update={"learning_rate": 1e-12, "eval_steps": 2, "patience": 3})
    trained = train_agreement(*toy(tokenizer), settings, seed=1)
    assert trained.metrics["steps"] == 2 * (1 + 3)


def test_batches_are_half_positive(tokenizer: PreTrainedTokenizerFast) -> None:
    *_, pairs = toy(tokenizer)
    rng = np.random.default_rng(0)
    lengths = np.arange(len(pairs)) % 7
    for batches in (balanced_batches(pairs, lengths, 16, rng), answer_batches(pairs, lengths, 16, rng)):
        for rows in islice(batches, 70):
            assert 2 * pairs.label[rows].sum() == len(rows) > 0
    # warm-up over 2 of 10 steps, then down to 0
    assert [warmup_linear(s, 10, 0.2) for s in (0, 1, 2, 6, 10)] == [0.5, 1.0, 1.0, 0.5, 0.0]


def test_unknown_ids_and_one_class_are_refused(tokenizer: PreTrainedTokenizerFast) -> None:
    agreement, answers, attributes, pairs = toy(tokenizer)
    frame = pl.DataFrame([("i", "zz", 1, 1.0, "positive", "train", False)], schema=list(PAIRS.columns), orient="row")
    with pytest.raises(InputError, match="'zz' is unknown"):
        index_pairs(frame, ["i"], ["a0"])
    with pytest.raises(InputError, match="part val needs"):
        train_agreement(agreement, answers, attributes, pairs.where(pairs.part == "train"), SETTINGS, seed=1)
