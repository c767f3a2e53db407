"""The student: it begins as its teacher and is refused where it does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from taught import SENTENCES, lessons, make_teacher, student_of

from sociolect.common.errors import InputError
from sociolect.sfam.model import AgreementModel, Encoded, encode_texts
from sociolect.sfam.student import Student, answer_arrays, load_student, save_student, student_scores

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def teacher() -> AgreementModel:
    return make_teacher()


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
