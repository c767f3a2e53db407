"""SFAM: pairs, encoding, late interaction, metrics and training, against answers worked out by hand."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from sociolect.common.errors import InputError
from sociolect.common.schemas import PAIRS
from sociolect.scratch.deberta import build_deberta
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchSfam, ScratchTokenizer
from sociolect.settings.sfam import PairSettings, SfamSettings
from sociolect.sfam.forward import encode_late, score_index_pairs
from sociolect.sfam.late import grid_logits, late_mask, masked_logits
from sociolect.sfam.model import (
    AgreementModel,
    agreement_logit,
    answer_limit,
    assemble,
    encode_attributes,
    encode_texts,
    fold_two_outputs,
    load_agreement,
    save_agreement,
    weights_digest,
)
from sociolect.sfam.optimizing import warmup_linear
from sociolect.sfam.pair_arrays import index_pairs
from sociolect.sfam.pairs import attribute_similarity, build_pairs, held_out_attributes
from sociolect.sfam.slices import auroc, calibration_error, f1
from sociolect.sfam.threshold import best_threshold
from sociolect.sfam.training import answer_batches, balanced_batches, train_agreement

NAMES = ["exclamation marks", "question marks", "the word red", "the word blue", "many digits", "short sentences"]
SENTENCES = [f"The author uses {name}." for name in NAMES]
WORDS = ["red", "blue", "green", "house", "runs", "over", "the", "!", "?", "7", "."]


def texts(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, size=rng.integers(3, 30))) for _ in range(n)]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # more threads only wait for each other on such small tensors
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer([*texts(20), *SENTENCES], ScratchTokenizer(kind="word", vocabulary=200))


def tiny(tokenizer, n_outputs: int = 2, late: bool = True, max_tokens: int = 40, seed: int = 1) -> AgreementModel:
    settings = ScratchSfam(hidden=16, layers=2, heads=2, max_positions=64)
    agreement = build_deberta(settings, tokenizer, max_tokens, n_outputs, seed, late)
    agreement.model.eval()
    return agreement


def described(n: int, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """n answers in three parts, of which each has some of ten attributes; and the catalogue."""
    rng = np.random.default_rng(seed)
    catalogue = PAIRS.frame(
        {"attribute_id": [f"a{k:02d}" for k in range(10)], "attribute": [*NAMES, "w x", "y z", "u v", "s t"]}
    )
    has = rng.random((n, 10)) < np.linspace(0.1, 0.6, 10)
    rows = [[f"a{k:02d}" for k in np.flatnonzero(row)] for row in has]
    parts = ["train" if i % 4 < 2 else "val" if i % 4 == 2 else "test" for i in range(n)]
    frame = pl.DataFrame(
        {"answer_id": [f"i{i:03d}" for i in range(n)], "part": parts, "attributes": rows},
        schema_overrides={"attributes": pl.List(pl.String)},
    )
    return frame, catalogue


# pairs


def test_pairs_are_balanced_never_contradict_and_do_not_depend_on_row_order() -> None:
    frame, catalogue = described(80)
    settings = PairSettings(pairs_per_answer=8, held_out_share=0.2)
    pairs = build_pairs(frame, catalogue, settings, seed=3)
    said = {(i, a) for i, _, rows in frame.rows() for a in rows}
    for answer, attribute, label, kind, _, _ in pairs.rows():
        assert ((answer, attribute) in said) == (label == 1) == (kind == "positive")
    drawn = pairs.filter(pl.col("slice") != "random")
    counts = drawn.group_by("answer_id", "held_out").agg(pl.col("label").sum().alias("p"), pl.len().alias("n"))
    assert (counts["p"] * 2 == counts["n"]).all()
    assert counts.filter(~pl.col("held_out"))["n"].max() <= 8
    kinds = dict(drawn["slice"].value_counts().rows())
    # where an answer has few attributes left to draw from, all of them are drawn, and the odd one is hard
    assert 0.7 < kinds["easy"] / kinds["hard"] <= 1
    assert set(pairs.filter(pl.col("slice") == "random")["part"]) == {"val", "test"}
    assert build_pairs(frame.sample(fraction=1, shuffle=True, seed=5), catalogue, settings, seed=3).equals(pairs)
    assert pairs.columns == list(PAIRS.columns)


def test_held_out_attributes_are_never_trained_on() -> None:
    frame, catalogue = described(80)
    pairs = build_pairs(frame, catalogue, PairSettings(held_out_share=0.3), seed=3)
    held = held_out_attributes(catalogue["attribute_id"].to_list(), 0.3, seed=3)
    assert len(held) == 3
    assert set(pairs.filter("held_out")["attribute_id"]) <= held
    assert not held & set(pairs.filter(~pl.col("held_out"))["attribute_id"])
    assert len(held_out_attributes(["a", "b", "c"], 0.89, seed=3)) == 1  # two are left to train on


def test_similar_names_are_hard_negatives() -> None:
    names = ["many commas", "many commas and dots", "greetings", "slang"]
    catalogue = pl.DataFrame({"attribute_id": list("abcd"), "attribute": names})
    frame = pl.DataFrame(
        {"answer_id": [f"i{i}" for i in range(40)], "part": ["train"] * 40, "attributes": [["a"]] * 40}
    )
    pairs = build_pairs(frame, catalogue, PairSettings(pairs_per_answer=2, held_out_share=0.0, hard_share=1.0), 1)
    hard = set(pairs.filter(pl.col("slice") == "hard")["attribute_id"])
    assert "b" in hard and len(hard) == 2
    similarity = attribute_similarity(names, np.ones((3, 4), dtype=bool))
    assert similarity[0, 1] > 0.5 > similarity[0, 2]
    assert np.diag(similarity).sum() == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attributes": [["nowhere"]]}, "'nowhere'"),
        ({"part": ["dev"]}, "'dev'"),
        ({"answer_id": ["i", "i"], "part": ["train"] * 2, "attributes": [["a00"]] * 2}, "'i' is described twice"),
        ({"attributes": [[]]}, "no train answer"),
    ],
)
def test_pairs_refuse(change: dict, message: str) -> None:
    _, catalogue = described(4)
    columns = {"answer_id": ["i"], "part": ["train"], "attributes": [["a00"]]} | change
    frame = pl.DataFrame(columns, schema_overrides={"attributes": pl.List(pl.String)})
    with pytest.raises(InputError, match=message):
        build_pairs(frame, catalogue, PairSettings(), seed=1)


# model


def test_truncation_cuts_the_answer_and_keeps_the_attribute(tokenizer) -> None:
    agreement = tiny(tokenizer, max_tokens=24)
    attributes = encode_attributes(agreement, SENTENCES)
    answers = encode_texts(agreement, [" ".join(["red"] * 100), "blue"])
    limit = answer_limit(agreement, attributes)
    assert limit == 24 - 3 - attributes.lengths.max()
    inputs = assemble(agreement, answers, attributes, np.array([0, 0, 1]), np.array([0, 2, 2]))
    red = answers[0][0]
    for row, attribute in ((0, 0), (1, 2)):
        ids = inputs["input_ids"][row][inputs["attention_mask"][row].bool()].tolist()
        sep, words = tokenizer.sep_token_id, attributes[attribute].tolist()
        assert ids == [tokenizer.cls_token_id, *words, sep, *[red] * limit, sep]
        assert inputs["token_type_ids"][row].sum() == limit + 1
    assert answers.full_lengths.tolist() == [100, 1]
    with pytest.raises(InputError, match="raise max_tokens"):
        encode_attributes(agreement, ["The author uses " + "very " * 30 + "."])


@pytest.mark.parametrize("late", [True, False])
def test_folding_two_outputs_keeps_every_score(tokenizer, late: bool) -> None:
    agreement = tiny(tokenizer, late=late)
    folded = fold_two_outputs(agreement)
    assert (agreement.n_outputs, folded.n_outputs, folded.late) == (2, 1, late)
    answers, attributes = encode_texts(agreement, texts(5)), encode_attributes(agreement, SENTENCES)
    rows, columns = np.repeat(np.arange(5), 6), np.tile(np.arange(6), 5)
    scores = [score_index_pairs(m, answers, attributes, rows, columns, 256) for m in (agreement, folded)]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)
    assert scores[0].std() > 1e-3
    with pytest.raises(ValueError, match="two-output"):
        fold_two_outputs(folded)


def test_softmax_over_two_outputs_is_the_sigmoid_of_their_difference() -> None:
    logits = torch.tensor([[0.3, -1.2], [50.0, 0.0], [-2.0, 7.0]])
    torch.testing.assert_close(torch.sigmoid(agreement_logit(logits)), torch.softmax(logits, dim=1)[:, 1])


def test_saved_and_loaded_model_scores_alike(tokenizer, tmp_path: Path) -> None:
    agreement = tiny(tokenizer)
    save_agreement(agreement, tmp_path / "m")
    loaded = load_agreement(tmp_path / "m", 40)
    assert loaded.late and weights_digest(loaded) == weights_digest(agreement)
    assert load_agreement(tmp_path / "m", 40, n_outputs=1).n_outputs == 1
    with pytest.raises(InputError, match="takes 64 tokens"):
        load_agreement(tmp_path / "m", 65)
    with pytest.raises(InputError, match=r"no config\.json"):
        load_agreement(tmp_path / "none", 40)


@pytest.mark.parametrize("late", [True, False])
def test_scores_do_not_depend_on_batching_or_neighbours(tokenizer, late: bool) -> None:
    agreement = tiny(tokenizer, late=late)
    answers, attributes = encode_texts(agreement, texts(9)), encode_attributes(agreement, SENTENCES)
    rows, columns = np.repeat(np.arange(9), 6), np.tile(np.arange(6), 9)
    whole = score_index_pairs(agreement, answers, attributes, rows, columns, 100_000)
    mixed = np.random.default_rng(0).permutation(54)
    parts = np.empty_like(whole)
    parts[mixed] = score_index_pairs(agreement, answers, attributes, rows[mixed], columns[mixed], 400)
    np.testing.assert_allclose(whole, parts, atol=1e-5)
    alone = score_index_pairs(agreement, answers, attributes, np.array([4]), np.array([2]), 400)
    assert abs(float(alone[0] - whole[4 * 6 + 2])) < 1e-5


# late interaction


def test_late_grid_equals_the_plain_forward_under_the_mask(tokenizer) -> None:
    agreement = tiny(tokenizer)
    answers, attributes = encode_texts(agreement, texts(7, seed=2)), encode_attributes(agreement, SENTENCES)
    limit = answer_limit(agreement, attributes)
    rows, columns = np.repeat(np.arange(7), 6), np.tile(np.arange(6), 7)
    with torch.no_grad():
        plain = masked_logits(agreement.model, assemble(agreement, answers, attributes, rows, columns))
        segments = encode_late(agreement, answers, np.arange(7), limit, 1)
        words = encode_late(agreement, attributes, np.arange(6), limit, 0)
        grid = grid_logits(agreement.model, tokenizer.cls_token_id, segments, words)
    torch.testing.assert_close(grid.flatten(0, 1), plain, atol=1e-5, rtol=0)
    assert plain.std() > 1e-2


def test_late_mask_by_hand() -> None:
    # [CLS] attribute [SEP] answer [SEP] pad: only [CLS] sees both texts
    mask = late_mask(torch.tensor([[0, 0, 0, 1, 1, 0]]), torch.tensor([[1, 1, 1, 1, 1, 0]]))[0]
    assert mask.tolist() == [
        [1, 1, 1, 1, 1, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 0],
    ]


# metrics


def test_metrics_by_hand() -> None:
    labels = np.array([1, 0, 1, 0])
    scores = np.array([0.9, 0.8, 0.7, 0.1], dtype=np.float32)
    assert auroc(labels, scores) == pytest.approx(3 / 4)
    assert auroc(np.ones(3), scores[:3]) is None
    # from .7 on: two of two found, one false: F1 = 4 / 5; from .9 on: 2 / 3
    assert best_threshold(labels, scores) == pytest.approx(0.7)
    assert f1(labels, scores, 0.7) == pytest.approx(0.8)
    assert f1(labels, scores, 0.95) == 0.0
    # a threshold cannot split equal scores
    assert best_threshold(np.array([1, 0, 0]), np.array([0.5, 0.5, 0.5])) == 0.5
    # two bins: |.25 * 2 - 1| and |.75 * 2 - 1| over 4 pairs
    values = np.array([0.25, 0.25, 0.75, 0.75])
    assert calibration_error(np.array([1, 0, 1, 0]), values, bins=2) == pytest.approx((0.5 + 0.5) / 4)


# training


def toy(tokenizer, late: bool = True, n_outputs: int = 2):
    """Answers with or without '!' and '?', of which two attributes speak."""
    rng = np.random.default_rng(0)
    marks = rng.random((240, 2)) < 0.5
    rows = [
        " ".join(rng.permutation([*rng.choice(WORDS[:6], 5), *["!"] * int(4 * m[0]), *["?"] * int(4 * m[1])]))
        for m in marks
    ]
    pairs = pl.DataFrame(
        [
            (f"i{i:03d}", f"a{k}", int(marks[i, k]), "positive" if marks[i, k] else "easy", part, False)
            for i in range(240)
            for k in range(2)
            for part in ["train" if i < 160 else "val" if i < 200 else "test"]
        ]
    )
    agreement = tiny(tokenizer, n_outputs, late)
    encoded = encode_texts(agreement, rows), encode_attributes(agreement, SENTENCES[:2])
    return agreement, *encoded, index_pairs(pairs, [f"i{i:03d}" for i in range(240)], ["a0", "a1"])


SETTINGS = SfamSettings(
    max_tokens=40, batch_size=64, learning_rate=5e-3, max_steps=240, eval_steps=40, patience=10, warmup_share=0.05
)


@pytest.mark.parametrize(("late", "n_outputs"), [(True, 2), (False, 2), (True, 1)])
def test_training_learns_what_only_the_pair_tells(tokenizer, late: bool, n_outputs: int) -> None:
    trained = train_agreement(*toy(tokenizer, late, n_outputs), SETTINGS, seed=1)
    assert trained.metrics["held_out_texts"]["all"]["auroc"] > (0.95 if late else 0.85)
    assert trained.metrics["held_out_texts"]["all"]["f1"] > 0.75
    assert trained.metrics["held_out_attributes"]["all"]["n"] == 0
    assert 0 < trained.threshold < 1
    assert trained.metrics["best_val_auroc"] == max(h["val_auroc"] for h in trained.history)


def test_training_is_deterministic_and_leaves_the_global_generator_alone(tokenizer) -> None:
    settings = SETTINGS.model_copy(update={"max_steps": 12, "eval_steps": 6})
    torch.manual_seed(5)
    first = weights_digest(train_agreement(*toy(tokenizer), settings, seed=1).agreement)
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.rand(1) == after
    assert weights_digest(train_agreement(*toy(tokenizer), settings, seed=1).agreement) == first
    assert weights_digest(train_agreement(*toy(tokenizer), settings, seed=2).agreement) != first


def test_training_stops_without_improvement_and_keeps_the_best(tokenizer) -> None:
    settings = SETTINGS.model_copy(update={"learning_rate": 1e-12, "eval_steps": 2, "patience": 3})
    trained = train_agreement(*toy(tokenizer), settings, seed=1)
    assert trained.metrics["steps"] == 2 * (1 + 3)


def test_batches_are_half_positive(tokenizer) -> None:
    *_, pairs = toy(tokenizer)
    rng = np.random.default_rng(0)
    lengths = np.arange(len(pairs)) % 7
    for batches in (balanced_batches(pairs.label, lengths, 16, rng), answer_batches(pairs, lengths, 16, rng)):
        for rows in islice(batches, 70):
            assert 2 * pairs.label[rows].sum() == len(rows) > 0
    # warm-up over 2 of 10 steps, then down to 0
    assert [warmup_linear(s, 10, 0.2) for s in (0, 1, 2, 6, 10)] == [0.5, 1.0, 1.0, 0.5, 0.0]


def test_unknown_ids_and_one_class_are_refused(tokenizer) -> None:
    agreement, answers, attributes, pairs = toy(tokenizer)
    frame = pl.DataFrame([("i", "zz", 1, "positive", "train", False)], schema=list(PAIRS.columns), orient="row")
    with pytest.raises(InputError, match="'zz' is unknown"):
        index_pairs(frame, ["i"], ["a0"])
    with pytest.raises(InputError, match="part val needs"):
        train_agreement(agreement, answers, attributes, pairs.where(pairs.part == "train"), SETTINGS, seed=1)
