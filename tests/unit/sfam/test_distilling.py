"""Distillation: the student learns its teacher's scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from taught import lessons, make_teacher, student_of

from sociolect.common.errors import InputError
from sociolect.settings.sfam import DistillationSettings
from sociolect.sfam.distilling import distil, mean_pearson
from sociolect.sfam.model import AgreementModel, encode_texts
from sociolect.sfam.student import student_scores

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def teacher() -> AgreementModel:
    return make_teacher()


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
