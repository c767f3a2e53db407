"""Theta is read in one way, and what is no threshold is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sociolect.common.errors import InputError
from sociolect.sfam.threshold import read_threshold


def test_threshold_of_a_trained_model(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"threshold": 1, "val": {"f1": 0.9}}')
    assert read_threshold(tmp_path / "metrics.json") == 1.0


@pytest.mark.parametrize(
    "text", [None, "{}", "[]", "{", '{"threshold": null}', '{"threshold": true}', '{"threshold": "1"}']
)
def test_what_is_no_threshold_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "metrics.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"metrics\.json: .*threshold.*train SFAM again"):
        read_threshold(path)
