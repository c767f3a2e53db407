"""The programs' frame."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sociolect.common import runtime
from sociolect.common.errors import InputError
from sociolect.settings.sfam import SfamSettings


def test_the_error_comes_last_and_stays_in_the_heartbeat_whatever_was_reported_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(job: runtime.Job[SfamSettings]) -> None:
        job.progress("train")(1, 2, "half way")
        raise InputError("no more answers")

    beat = tmp_path / "x.beat"
    with pytest.raises(SystemExit):
        runtime.run_program(fails, "", SfamSettings, argv=["--settings", "{}", "--heartbeat", str(beat)])
    assert capsys.readouterr().err.strip().splitlines()[-1] == "error: no more answers"
    state = json.loads(beat.read_text())
    assert (state["stage"], state["ended"], state["message"]) == ("train", "failed", "no more answers")
