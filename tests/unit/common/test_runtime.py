"""The programs' frame."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sociolect.common import runtime
from sociolect.common.artifacts import write_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import NEAREST
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


def test_named_files_are_read_by_their_names(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.parquet" for name in ("b", "a")]
    for path in paths:
        write_table(NEAREST.frame([(path.stem, "g", "g", 1, 1.0)]), path, NEAREST)
    job = runtime.Job("x", SfamSettings(), {"samples": paths}, {}, {"splits": "b,a"}, 0, 1, "", None)
    found = job.read_by("splits", "samples", NEAREST)
    assert [(name, frame["source"][0]) for name, frame in found.items()] == [("b", "b"), ("a", "a")]
    for splits in ("b", "b,b", "a,b,c"):
        job.options["splits"] = splits
        with pytest.raises(InputError, match=f"--splits {splits} and 2 --samples files: name each file's split once"):
            job.read_by("splits", "samples", NEAREST)
