"""The student: it begins as its teacher, learns its scores, and is refused where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from scipy.stats import pearsonr, spearmanr

from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import FIDELITY
from sociolect.embedding.baselines import group_accuracy
from sociolect.scratch.deberta import build_deberta
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchSfam, ScratchTokenizer
from sociolect.settings.sfam import DistillationSettings
from sociolect.sfam.distilling import distil, mean_pearson
from sociolect.sfam.fidelity import check_fidelity, fidelity_table, summarise
from sociolect.sfam.model import AgreementModel, Encoded, encode_texts
from sociolect.sfam.student import Student, answer_arrays, build_student, load_student, save_student, student_scores

WORDS = ["red", "blue", "green", "seven", "nine", "the", "of", "and"]
SENTENCES = ["The author uses red words.", "The author uses blue words.", "The author uses digits."]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def teacher() -> AgreementModel:
    tokenizer = train_tokenizer([" ".join(WORDS), *SENTENCES], ScratchTokenizer(kind="word", vocabulary=100))
    return build_deberta(ScratchSfam(hidden=32, layers=2, heads=2, max_positions=64), tokenizer, 40, 2, seed=1)


def lessons(n: int) -> tuple[list[str], np.ndarray]:
    """Texts, and scores that follow from them: the shares of red, of blue, and of both numbers."""
    rng = np.random.default_rng(0)
    texts, scores = [], []
    for _ in range(n):
        weights = rng.dirichlet(np.full(len(WORDS), 0.5))
        words = rng.choice(WORDS, rng.integers(3, 25), p=weights)
        shares = [np.isin(words, wanted).mean() for wanted in (["red"], ["blue"], ["seven", "nine"])]
        texts.append(" ".join(words))
        scores.append(1 / (1 + np.exp(6 - 20 * np.array(shares))))
    return texts, np.array(scores)


def student_of(teacher: AgreementModel) -> Student:
    return build_student(teacher, SENTENCES, 30, seed=2)


def plain_logits(student: Student, answers: Encoded, index: list[int]) -> torch.Tensor:
    ids, types, lengths = answer_arrays(student, answers, np.array(index))
    mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)
    inputs = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}
    with torch.inference_mode():
        return student.model(**{name: torch.from_numpy(value) for name, value in inputs.items()}).logits


def test_it_begins_with_the_teachers_encoder_and_reads_as_much(teacher: AgreementModel) -> None:
    student = student_of(teacher)
    ours, theirs = student.model.state_dict(), teacher.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs if not name.startswith("classifier."))
    assert student.model.classifier.weight.shape == (3, 32) and student.attributes == SENTENCES
    answers = encode_texts(teacher, ["red blue", "red " * 100])
    ids, types, lengths = answer_arrays(student, answers, np.array([0, 1]))
    special = student.tokenizer
    red, blue = answers[0]
    wanted = [special.cls_token_id, red, blue, special.sep_token_id, special.pad_token_id]
    assert ids[0, :5].tolist() == wanted and lengths.tolist() == [4, 32]
    assert types[0, :5].tolist() == [0, 1, 1, 1, 0]


def test_scores_are_those_of_the_plain_forward_in_the_order_of_the_answers(teacher: AgreementModel) -> None:
    student, texts = student_of(teacher), [*lessons(40)[0], "", "red"]
    answers = encode_texts(teacher, texts)
    scores = student_scores(student, answers, tokens_per_batch=64)
    wanted = torch.sigmoid(plain_logits(student, answers, list(range(len(texts))))).numpy()
    wanted[texts.index("")] = 0.0
    np.testing.assert_allclose(scores, wanted, atol=1e-5)


def test_it_learns_what_its_teacher_says_and_the_same_twice(teacher: AgreementModel) -> None:
    texts, scores = lessons(500)
    parts = np.array(["train"] * 350 + ["val"] * 75 + ["test"] * 75)
    settings = DistillationSettings(batch_size=32, learning_rate=3e-3, max_epochs=6, patience=3)
    answers = encode_texts(teacher, texts)
    first, again = (distil(student_of(teacher), answers, scores, parts, settings, seed=7) for _ in range(2))
    found = student_scores(first.student, answers, 512)
    test = parts == "test"
    assert mean_pearson(scores[test], found[test]) > 0.9
    # the head that it begins with knows something already, and training adds to it
    assert 0.3 < first.history[0]["val_pearson"] < max(h["val_pearson"] for h in first.history)
    for a, b in zip(first.student.model.parameters(), again.student.model.parameters(), strict=True):
        assert torch.equal(a, b)
    # val and test are not learned from: other scores there change no weight, only which epoch is kept
    best = max(range(len(first.history)), key=lambda i: first.history[i]["val_pearson"])
    spoiled = np.where(test[:, None], 1 - scores, scores)
    third = distil(student_of(teacher), answers, spoiled, parts, settings, seed=7)
    assert third.history[best] == first.history[best]
    with pytest.raises(InputError, match="part val has 0 answers"):
        distil(student_of(teacher), answers, scores, np.where(parts == "val", "test", parts), settings, seed=7)


def test_nothing_stale_is_loaded(teacher: AgreementModel, tmp_path: Path) -> None:
    student = student_of(teacher)
    save_student(student, tmp_path / "student")
    back = load_student(tmp_path / "student", SENTENCES)
    answers = encode_texts(teacher, ["red blue"])
    assert torch.equal(back.model.classifier.weight, student.model.classifier.weight)
    torch.testing.assert_close(plain_logits(back, answers, [0]), plain_logits(student, answers, [0]))
    assert back.answer_tokens == 30
    for other in (SENTENCES[:2], SENTENCES[::-1]):
        with pytest.raises(InputError, match="made for another catalogue"):
            load_student(tmp_path / "student", other)
    from sociolect.sfam.model import save_agreement

    save_agreement(teacher, tmp_path / "teacher")
    with pytest.raises(InputError, match="no student"):
        load_student(tmp_path / "teacher", SENTENCES)
    with pytest.raises(InputError, match=r"config\.json"):
        load_student(tmp_path / "nothing", SENTENCES)
    (tmp_path / "student/model.safetensors").write_bytes(b"half")
    with pytest.raises(InputError, match="not a whole model folder"):
        load_student(tmp_path / "student", SENTENCES)


def catalogue() -> pl.DataFrame:
    return pl.DataFrame({"attribute_id": ["a1", "a2", "a3"], "attribute": ["red words", "blue words", "digits"]})


def test_fidelity_against_scipy() -> None:
    rng = np.random.default_rng(1)
    teacher = rng.random((50, 3))
    student = np.clip(teacher + rng.normal(0, [0.05, 0.3, 1.0], (50, 3)), 0, 1).round(1)  # with ties
    student[:, 2] = 0.5  # says the same of everything
    table = check_table(fidelity_table(catalogue(), teacher, student), FIDELITY, "test")
    for column in (0, 1):
        row = table.row(column, named=True)
        a, b = teacher[:, column], student[:, column]
        assert row["pearson"] == pytest.approx(pearsonr(a, b).statistic)
        assert row["spearman"] == pytest.approx(spearmanr(a, b).statistic)
        assert row["mae"] == pytest.approx(np.abs(a - b).mean())
    assert table["pearson"][2] == table["spearman"][2] == 0.0 and table["n"].to_list() == [50] * 3
    summary = summarise(table, 0.9, 0.89)
    assert summary["lowest_attribute"] == "digits" and summary["mean_pearson"] == pytest.approx(table["pearson"].mean())
    check_fidelity(summary, 0.3)
    with pytest.raises(InputError, match=r"below distillation.min_pearson 0.9 .*'digits'\); raise"):
        check_fidelity(summary, 0.9)


def test_group_accuracy_sees_what_the_style_vectors_know() -> None:
    rng = np.random.default_rng(2)
    groups = [f"g{i % 3}" for i in range(300)]
    parts = np.array(["train", "test"] * 150)
    own = np.eye(3)[[i % 3 for i in range(300)]]
    knows: Any = group_accuracy(own + rng.normal(0, 0.1, own.shape), groups, parts)
    nothing: Any = group_accuracy(rng.random((300, 3)), groups, parts)
    assert knows == 1.0 and 0.35 < nothing < 0.65
    assert group_accuracy(own, ["g0"] * 300, parts) is None
