"""New configs: their keys are those of the base but for name, tables and sizes, and the comments stay."""

from __future__ import annotations

import pytest
import yaml

from conftest import ROOT
from sociolect.preflight.new_config import new_config
from sociolect.settings.config import load_config

BASES = ("laptop", "quick", "scratch", "one-gpu", "config")


@pytest.mark.parametrize("name", BASES)
def test_only_what_is_the_runs_own_changes(name: str) -> None:
    base = (ROOT / f"config/{name}.yaml").read_text()
    minima = {"single": 400, "multi": 5000}
    paths = {"single": "data/single.parquet", "multi": "my data/it's.csv"}
    sizes = {"single": {"a": 450, "b: #c": 400, "d": 3}, "multi": {"a": 6000, "b: #c": 5000}}
    new = new_config(base, "mine", paths, sizes, minima, {"single": ("single", "single"), "multi": ("multi", "multi")})
    old_values, values = yaml.safe_load(base), yaml.safe_load(new)
    assert values["run"] == "mine" and values["corpus"]["paths"] == paths
    assert values["sampling"]["minimum"] == minima
    drawn = old_values["sampling"]["per_group"]
    # as many as the base draws, or the minimum where that is less
    assert values["sampling"]["per_group"] == {"single": 300 if name == "quick" else None, "multi": drawn["multi"]}
    assert values["experiments"]["multi"] == {"fit": ["multi"], "ask": "multi"}
    for changed in (old_values, values):
        for key in ("paths",):
            changed["corpus"].pop(key)
        for key in ("minimum", "per_group"):
            changed["sampling"].pop(key)
        changed.pop("run"), changed.pop("experiments")
    assert values == old_values
    load_config(yaml.safe_load(new), "mine")
    assert "# single: 2 of 3 groups reach 400" in new and "#   a 450, b: #c 400, d 3" in new
    comments = [line.strip() for line in base.splitlines() if line.strip().startswith("#")]
    kept = [line for line in comments if line in new]
    assert len(comments) - len(kept) <= 4, "comments of the blocks that changed"


@pytest.mark.parametrize("run", ["no", "on", "Yes", "null", "mine", "n-1"])
def test_a_name_that_yaml_would_read_as_something_else_stays_that_name(run: str) -> None:
    base = (ROOT / "config/laptop.yaml").read_text()
    # a folder of that name, too
    new = new_config(
        base, run, {"single": run}, {"single": {"a": 90}}, {"single": 90}, {"single": ("single", "single")}
    )
    values = yaml.safe_load(new)
    assert values["run"] == run and values["corpus"]["paths"] == {"single": run}
    assert load_config(values, "new").run == run


def test_a_long_list_of_groups_is_cut() -> None:
    base = (ROOT / "config/laptop.yaml").read_text()
    sizes = {"single": {f"group {number}" * 3: 900 for number in range(30)}}
    new = new_config(base, "mine", {"single": "x.csv"}, sizes, {"single": 900}, {"single": ("single", "single")})
    assert "and 18 more" in new and max(map(len, new.splitlines())) <= max(map(len, base.splitlines()))
