"""Paths that a submission can carry: sbatch, the plugin and the job's shell take some characters for their own."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from sociolect.common.errors import InputError

# the plugin writes the interpreter without quotation marks, everything else between them
_ODD, _ODD_BARE = re.compile(r"[^\w./+@:,=~#&;()<>*?!|\[\] ^-]"), re.compile(r"[^\w./+@:,=-]")


def refuse_odd_paths(project: Path, configs: Sequence[Path] = ()) -> None:
    """Refuse paths that a shell would run, or take apart, on the way to a job.

    Args:
        project: where Snakemake runs.
        configs: config files of the run.

    Raises:
        InputError: the path of one of them, or of this Python, has such a character; the message names it.
    """
    python = Path(sys.executable)
    for what, path, odd in (
        ("the project's folder", project, _ODD),
        ("this Python", python, _ODD_BARE),
        *(("the config", path, _ODD) for path in configs),
    ):
        if found := odd.search(str(path)):
            mark = "a space" if found[0] == " " else f"the character {found[0]!r}"
            raise InputError(
                f"{path}: the path of {what} has {mark}, which shells on the way to a job would act on; rename the "
                "folder or the file, or move the project"
            )
