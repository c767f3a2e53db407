"""What the jobs of a run took, from Snakemake's benchmark files."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from sociolect.common.errors import InputError

__all__ = ["actual_hours"]

_SHARD = re.compile(r"-of-(\d+)\.tsv$")


def actual_hours(benchmarks: Path) -> dict[str, tuple[float, int]]:
    """Hours and jobs of each rule, from Snakemake's benchmark files: <rule>.tsv, or <rule>/**/*.tsv.

    Shards of an earlier number (1-of-2 beside 1-of-3) are left out: the newest file of a folder says which count.
    """
    found: dict[str, tuple[float, int]] = {}
    folders: dict[Path, list[Path]] = {}
    for file in sorted(benchmarks.glob("**/*.tsv")):
        folders.setdefault(file.parent, []).append(file)
    for folder, files in folders.items():
        newest = max(files, key=lambda f: f.stat().st_mtime)
        shards = _SHARD.search(newest.name)
        for file in files:
            if folder != benchmarks and shards and _SHARD.search(file.name) and not file.name.endswith(shards[0]):
                continue
            rule = file.relative_to(benchmarks).parts[0].removesuffix(".tsv")
            hours, jobs = found.get(rule, (0.0, 0))
            found[rule] = (hours + _seconds(file) / 3600, jobs + 1)
    return found


def _seconds(file: Path) -> float:
    """Sum of column `s`; a job without a time counts as none."""
    with file.open(encoding="utf-8", newline="") as stream:
        values = [row.get("s") for row in csv.DictReader(stream, delimiter="\t")]
    try:
        return sum(float(v) for v in values if v not in (None, "", "NA", "-"))
    except ValueError as error:
        raise InputError(f"{file}: not a benchmark of Snakemake ({error}); delete it") from error
