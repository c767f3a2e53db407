"""What is extrapolated from what was measured."""

from __future__ import annotations

from typing import Any

import pytest

from contenders import ENGINE, ENGINE_BF16, PIPELINE, STUDENT, STUDENT_BF16, K
from measuring import Turns
from reporting import STUDY_ANSWERS, extrapolated_rows, student_hours
from sociolect.settings.sfam import DistillationSettings
from workload import Shape


def test_extrapolation_by_hand() -> None:
    assert STUDY_ANSWERS == 31500 + 66000 + 4680 and K == 768
    settings = DistillationSettings(n_answers=4000, n_heldout=600, max_epochs=10)
    steps = student_hours(teacher=5200 * 768 / 7200, train=35, student=102180 / 1800, settings=settings)
    # 10 epochs of 3 passes over 4000 answers and one over 600: 126000 passes
    assert steps == pytest.approx({"teacher": 2.0, "training": 1.0, "student": 0.5})
    turns = {name: Turns([speed], 1.0) for name, speed in ((PIPELINE, 1.0), (ENGINE, 2.0), (ENGINE_BF16, 4.0))}
    turns |= {name: Turns([K * 70.0], 1.0) for name in (STUDENT, STUDENT_BF16)}
    shape = Shape(4, 2, 2, 8)
    rows: dict[str, Any] = {row.name.split(": ")[1]: row.value for row in extrapolated_rows(turns, shape, shape, {})}
    assert rows[PIPELINE] == pytest.approx(102180 * 768 / 3600) and rows[ENGINE] == pytest.approx(rows[PIPELINE] / 2)
    # the faster precision teaches
    student = sum(student_hours(4.0, 70.0, 70.0).values())
    assert rows["student, teacher and training included"] == pytest.approx(student)
