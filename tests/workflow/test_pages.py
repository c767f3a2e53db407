"""The pages of a run with several experiments."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from conftest import snakemake


@pytest.mark.parametrize("page", ["report", "explorer"])
def test_experiments_are_named_in_the_order_of_their_tables(project: Path, page: str) -> None:
    values = yaml.safe_load((project / "config/demo.yaml").read_text())
    values["experiments"] = {name: values["experiments"]["main"] for name in ("zeta", "alpha", "mid")}
    (project / "several.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    flags = ["--dry-run", "--printshellcmds", "--configfile", "several.yaml"]
    printed = snakemake(project, *flags, "--", f"results/demo/{page}.html").stdout
    [line] = [line for line in printed.splitlines() if f"0 write_{page} --" in line]
    words = shlex.split(line)
    settings = json.loads(words[words.index("--settings") + 1])
    assert list(settings["experiments"]) == ["zeta", "alpha", "mid"]
    assert re.findall(r"groups/(\w+)\.parquet", line) == ["zeta", "alpha", "mid"]
