"""No name of a folder or a file is run by the shells between a submission and its job."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sociolect.common.errors import InputError
from sociolect.slurm import doctor
from sociolect.slurm.plain_paths import refuse_odd_paths

PLAIN = Path("/home/u/größe-2_v1.0+a@b,c=d")


@pytest.fixture(autouse=True)
def _python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/env/bin/python3.11")


@pytest.mark.parametrize("mark", ["$", "`", '"', "'", "\\", "\n", "\t"])
def test_what_a_shell_acts_on_between_quotation_marks_is_refused_everywhere(
    mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = Path(f"/home/u/a{mark}b")
    with pytest.raises(InputError, match="the project's folder has the character"):
        refuse_odd_paths(odd)
    with pytest.raises(InputError, match="the config has the character") as caught:
        refuse_odd_paths(PLAIN, [PLAIN, odd])
    assert repr(mark) in str(caught.value) and "rename" in str(caught.value)
    monkeypatch.setattr(sys, "executable", f"{odd}/bin/python")
    with pytest.raises(InputError, match="this Python has the character"):
        refuse_odd_paths(PLAIN)


def test_a_space_is_refused_where_nothing_quotes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_odd_paths(PLAIN / "a b", [PLAIN / "c d.yaml"])
    monkeypatch.setattr(sys, "executable", "/my env/bin/python")
    with pytest.raises(InputError, match="/my env/bin/python: the path of this Python has a space"):
        refuse_odd_paths(PLAIN)


def test_the_doctor_says_so_before_it_submits_a_probe() -> None:
    assert list(doctor.check_paths(PLAIN, PLAIN / "c.yaml")) == []
    [check] = doctor.check_paths(PLAIN, PLAIN / "c`date`.yaml")
    assert check.verdict == "FAIL" and "'`'" in check.found
