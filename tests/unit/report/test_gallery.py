"""All figures: each names its subject, its units and its n; what there is nothing of is left out; files lie as they "
"are."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
import reported
from drawn import labels

from sociolect.common import schemas
from sociolect.report.drawing import Picture, write_pictures
from sociolect.report.gallery import pictures_of
from sociolect.report.group_figures import map_plot
from sociolect.report.profile_figures import weights_plot
from sociolect.report.run_tables import ExperimentTables, RunTables
from sociolect.report.time_figures import times_plot

# figure -> its n, and words on its axes with their unit
SAID = {
    "sampling": ("n = 200 answers", ["answers", "single: 60 drawn of 200"]),
    "attributes": ("n = 6 attributes said, K = 5 kept", ["attributes", "5  (-1)"]),
    "sfam-steps": ("n = 2 looks in 20 steps", ["AUROC on val answers", "optimizer steps", "training loss"]),
    "sfam-slices": ("n = pairs of answer and attribute", ["AUROC", "val (n = 9)"]),
    "sfam-fidelity": ("n = 30 test answers, K = 2 attributes", ["correlation with the teacher"]),
    "times": ("n = 9 jobs", ["time of all jobs of the rule, h", "2.0 h, 1 job", "30.0 min, 8 jobs"]),
    "main-forest": ("each condition", ["(n = 10 texts per condition)", "rise against the bare question, points"]),
    "main-shift": ("n = 10 texts", ["topic: rise of the question's group, points"]),
    "main-damage": ("n = 10 texts", ["rise of the hit rate, points"]),
    "main-sweep": ("points (n = 4 to 8 texts)", ["strength alpha, in median residual norms", "1-2"]),
    "main-cost": ("n = 8 texts per mark", ["style gained, points"]),
    "main-accuracy": ("n = 40 answers", ["accuracy, %"]),
    "main-confusion": ("n = 40", ["nearest group, %", "true group"]),
    "main-nearest": ("% of the texts", ["people (n = 12)", "the model (n = 12)", "nearest group, %"]),
    "main-distances": ("n = 1 pair of 2 groups", ["distance of the embedding", "in spreads within the groups"]),
    "main-map": ("n = 6 of 6 test answers, 2 groups", ["first principal component, in the embedding's distance"]),
    "main-weights": ("n = 2 groups", ["weight (all weights of a group add up to 1)", "c: 1.6 effective attributes"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def pictures() -> dict[str, Picture]:
    drawn = pictures_of(reported.run(), [reported.experiment()])
    return {picture.name: picture for of in drawn.values() for picture in of.values() if picture is not None}


def test_every_figure_can_be_read_alone(pictures: dict[str, Picture]) -> None:
    assert set(pictures) == set(SAID)
    for name, (n, words) in SAID.items():
        picture, found = pictures[name], labels(pictures[name].svg)
        assert n in picture.title and ("demo" in picture.title or "main" in picture.title), name
        # the title stands in the figure, in as many lines as it takes
        assert " ".join(picture.title.split()) in " ".join(found), name
        assert set(words) <= set(found), (name, sorted(set(words) - set(found)))
        assert picture.caption.endswith((".", "steer.")) and ElementTree.fromstring(picture.svg).tag.endswith("svg")


def test_files_are_svg_and_pdf_without_dates(pictures: dict[str, Picture], tmp_path: Path) -> None:
    write_pictures(list(pictures.values()), tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {f"{name}.{kind}" for name in SAID for kind in ("svg", "pdf")}
    for file in tmp_path.iterdir():
        data = file.read_bytes()
        assert data.startswith(b"%PDF" if file.suffix == ".pdf" else b"<svg") and len(data) > 5000
        assert not re.search(rb"CreationDate|dc:date", data)


def test_what_there_is_nothing_of_is_not_drawn() -> None:
    drawn = pictures_of(RunTables("demo"), [ExperimentTables("main")])
    assert set(drawn) == {"", "main"} and not any(picture for of in drawn.values() for picture in of.values())


def test_gpu_hours_are_hours_times_the_gpus_that_a_job_asks_for() -> None:
    took = {"train_sfam": (2.0, 1), "label_answers": (0.5, 8)}
    whole, small = (times_plot(took, gpus, "demo") for gpus in ({"train_sfam": 2}, {}))
    assert whole is not None and small is not None
    assert whole.title == "What the run took, demo: 2.5 h of all jobs, 4.0 h times GPUs (n = 9 jobs)"
    assert "times GPUs asked for, h" in labels(whole.svg)
    assert "0 h times GPUs" in small.title and not any("asked for" in label for label in labels(small.svg))
    # what takes least has no bar of its own
    many = {f"rule_{i:02d}": (1.0 / (i + 1), 2) for i in range(25)}
    folded = times_plot(many, {}, "demo")
    assert folded is not None and "5 other rules" in labels(folded.svg) and "rule_20" not in labels(folded.svg)


def test_names_are_drawn_as_they_are() -> None:
    # each broke a figure: TeX that is none, TeX that is some, and what matplotlib takes for a label of its own
    odd = [r"uses $\frac$ and $\sum$", "like $x^2$ for", "_throwaway $_$"]
    groups, points = (
        frame.with_columns(group=pl.Series(odd[1:] * (frame.height // 2)))
        for frame in (reported.experiment().groups, reported.experiment().embeddings)
        if frame is not None
    )
    picture = map_plot(points, groups, "main")
    assert picture is not None and {*odd[1:]} <= {*labels(picture.svg)}
    heaviest = [{"attribute_id": f"a{i}", "weight": 0.5, "attribute": name} for i, name in enumerate(odd[:2])]
    weights = {"groups": {odd[2]: {"all": {"n_eff": 2.0, "heaviest": heaviest}}}}
    drawn = weights_plot(weights, groups, None, "main")
    assert drawn is not None and {odd[0], odd[1], f"{odd[2]}: 2.0 effective attributes"} <= {*labels(drawn.svg)}
    # the second panel of the line is empty: none of its ticks is drawn
    ticks = [label for label in labels(drawn.svg) if label.startswith("0.")]
    assert len(ticks) == len({*ticks}) > 1


def test_a_map_of_many_answers_is_thinned_the_same_way_each_time() -> None:
    n = 2500
    points = pl.DataFrame(
        {"answer_id": [f"t{i:04d}" for i in range(n)], "split": "s", "part": "test", "group": ["a<b>", "c"] * (n // 2)}
    )
    whole = reported.experiment()
    assert whole.embeddings is not None and whole.groups is not None
    vector = pl.Series(
        "embedding", [[float(i % 7), float(i % 3), 1.0] for i in range(n)], dtype=pl.Array(pl.Float32, 3)
    )
    frame = points.with_columns(vector).select(list(schemas.EMBEDDINGS.columns))
    picture = map_plot(frame, whole.groups, "main")
    assert picture is not None and "n = 834 of 2,500 test answers" in picture.title
    shuffled = map_plot(frame.sample(fraction=1.0, shuffle=True, seed=1), whole.groups, "main")
    assert picture == shuffled and map_plot(frame.filter(part="val"), whole.groups, "main") is None
