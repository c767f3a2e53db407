"""The programs of the steering study, one after the other on a tiny model whose best vector is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import answer_unsteered
import build_steering
import choose_strength
import read_answers
import try_method
from conftest import ROOT
from sociolect.common.artifacts import matrix, read_table, vectors, write_table
from sociolect.common.files import read_json
from sociolect.common.runtime import Job
from sociolect.common.schemas import (
    ACTIVATIONS,
    CATALOGUE,
    FORECAST,
    GROUPS,
    READINGS,
    SAMPLES,
    STEERING,
    SWEEP,
    UNSTEERED,
)
from sociolect.embedding.net import EmbeddingNet, save_net
from sociolect.generation.choice import read_choice
from sociolect.judges.text_judges import Judge, write_judges
from sociolect.settings.base import Stage
from sociolect.settings.steering import ReadingJob, SteeringSettings, SweepJob, UnsteeredJob
from sociolect.steering.trials import TOPIC
from tiny_models import save_tiny, tiny, word_tokenizer

torch.set_num_threads(1)
# each group has a word of its own, which its one attribute is about
OWN = {"x": "waa", "y": "wbb", "z": "wcc"}
NAMES, IDS = list(OWN), ["a0", "a1", "a2"]
METHODS = ("rotated", "distinctive", "all", "mean_difference")
GENERATION = {"max_new_tokens": 8, "batch_tokens": 4000}
SWEPT = {
    "alphas": [0, 0.3, 30.0], "depths": [0.0, 0.7], "band": None, "questions_per_group": 4, "halvings": 1,
    "judges": ["sfam"], "max_log_perplexity_change": 1e9, "max_repetition": 1.0,
}  # fmt: skip


class Words:
    """Style vector of a text: share of each group's word among its words."""

    key = "words"

    def score(self, texts: Sequence[str], progress: Any = None, tagged: Any = None) -> Any:
        counts = [[text.split().count(word) / max(1, len(text.split())) for word in OWN.values()] for text in texts]
        return type("Scored", (), {"scores": np.array(counts)})


class Unmoved:
    """A topic probe to which all texts are alike."""

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        return np.tile([0.6, 0.3, 0.1], (len(texts), 1))


def write_inputs(folder: Path) -> None:
    # in its place stands Words
    (folder / "sfam").touch()
    tokenizer, model = word_tokenizer(), tiny("llama", seed=5)
    save_tiny(model, tokenizer, folder / "lm", sharper=30)
    parts = ["train"] * 8 + ["val"] * 4
    samples = [
        (f"q{g}{i}", f"wd{'abcdefghij'[i % 10]}", f"{g}{i}", f"we{'abcdefghij'[i % 10]} {word}", None, g, part)
        for g, word in OWN.items()
        for i, part in enumerate(parts)
    ]
    write_table(SAMPLES.frame(samples), folder / "samples", SAMPLES)
    words: Any = {"attribute": list(OWN.values()), "n_answers": [1] * 3, "n_authors": [1] * 3, "share": [0.1] * 3}
    texts = pl.Series([["x"]] * 3, dtype=pl.List(pl.String))
    catalogue = pl.DataFrame({"attribute_id": IDS, **words}).with_columns(
        pl.format("The author uses {}.", "attribute").alias("author_sentence"),
        pl.format("You use {}.", "attribute").alias("you_sentence"),
        answer_ids=texts, raw_sentences=texts, prompt_ids=texts,
    )  # fmt: skip
    write_table(catalogue, folder / "catalogue", CATALOGUE)
    none = pl.Series([[]] * 3, dtype=pl.List(pl.Float64))
    groups = pl.DataFrame({"group": NAMES, "n_answers": [8] * 3, "n_authors": [8] * 3}).with_columns(
        *(vectors(np.eye(3), name) for name in ("style", "mean_style", "usage", "embedding")),
        distinctive=pl.Series([[]] * 3, dtype=pl.List(pl.String)),
        distinctive_gap=none, distinctive_frequency=none,
    )  # fmt: skip
    write_table(groups, folder / "groups", GROUPS)
    # a residual stream along a word's output row decides for that word
    rows = model.get_output_embeddings().weight.detach()
    along = [rows[tokenizer.convert_tokens_to_ids("▁" + word)].numpy() for word in OWN.values()]
    activations = pl.DataFrame(
        {
            "attribute_id": [a for a in IDS for _ in range(3)],
            "layer": pl.Series([0, 1, 2] * 3, dtype=pl.Int32),
            "vector": vectors(np.repeat(np.stack(along), 3, axis=0), "vector"),
            "token_id": pl.Series([0] * 9, dtype=pl.Int64),
            "token": ["x"] * 9,
        }
    )
    write_table(activations, folder / "vectors", ACTIVATIONS)
    net = EmbeddingNet(3, 0, 3)
    with torch.no_grad():
        net.output.weight.copy_(torch.eye(3))
        net.output.bias.zero_()
    save_net(net, folder / "embedding", {"distance": "euclidean"})
    write_judges([Judge(TOPIC, "topic", tuple(NAMES), Unmoved())], folder / "judges")


def run(program: Any, settings: Stage, paths: dict[str, list[Path]], out: dict[str, Path], **more: str) -> None:
    """Run a program on the files that lie at these paths."""
    options = {"dtype": "float32", "prompt_style": "auto", "prompt_date": "2025-01-01", **more}
    options.setdefault("backend", '{"backend": "transformers"}')
    given = {"document": [], "prompts": [ROOT / "workflow/prompts/conditions.yaml"], **paths}
    program.main(Job(program.__name__, settings, given, out, options, 1, 1, "", None))


def lying(folder: Path, names: str) -> dict[str, list[Path]]:
    return {name: [folder / name] for name in names.split()}


def sweep(folder: Path, method: str, to: str) -> None:
    settings = SweepJob.model_validate({"sweep": SWEPT, "generation": GENERATION, "labeling": {}, "syntax": {}})
    inputs = lying(folder, "unsteered norms groups steering catalogue lm sfam embedding judges")
    # a folder of its own: what is tried again is generated again
    run(try_method, settings, inputs, {"tried": folder / to}, method=method, cache=str(folder / f"cache_{to}"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("steering")
    write_inputs(folder)
    steering = {"methods": METHODS, "transform": "raw", "n_eff": 1}
    reading = ReadingJob.model_validate(
        {"readings": {"answers_per_group": 8, "folds": 4}, "steering": steering, "generation": GENERATION}
    )
    run(read_answers, reading, lying(folder, "samples groups catalogue lm"), {"readings": folder / "readings"})
    settings = SteeringSettings.model_validate(steering)
    made = {name: folder / name for name in ("steering", "weights", "forecast")}
    run(build_steering, settings, lying(folder, "groups catalogue vectors readings"), made)
    unsteered = UnsteeredJob.model_validate({"sweep": SWEPT, "generation": GENERATION})
    answered = {name: folder / name for name in ("unsteered", "norms")}
    run(answer_unsteered, unsteered, lying(folder, "samples groups lm"), answered)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sociolect.steering.trying.load_scorer", lambda *args, **more: Words())
        for method in METHODS:
            sweep(folder, method, f"tried_{method}")
        sweep(folder, "all", "again")
    tried = {"tried": [folder / f"tried_{method}" for method in METHODS]}
    chosen = {name: folder / name for name in ("sweep", "choice")}
    run(choose_strength, Stage(), lying(folder, "norms groups steering forecast") | tried, chosen)
    return folder


def test_what_methods_read_is_read_and_made_into_vectors_of_all_groups(folder: Path) -> None:
    readings = read_table(folder / "readings", READINGS)
    # rotated reads what content_free does; averages, forecast and controls need the others
    assert set(readings["kind"]) == {"answers", "content", "replaced"}
    assert readings.height == 3 * 3 * 4 * 3 and set(readings["n"]) == {2}
    steering = read_table(folder / "steering", STEERING)
    own = set(steering.select("group", "method").rows())
    able = {(group, method) for group in NAMES for method in METHODS if method != "distinctive"}
    assert {key for key in own if key[1] in METHODS} == able
    forecast = read_table(folder / "forecast", FORECAST)
    assert set(forecast.select("group", "method").rows()) == able and forecast["separation"].null_count() == 0
    along = matrix(read_table(folder / "vectors", ACTIVATIONS).filter(attribute_id="a1", layer=2)["vector"])[0]
    found = matrix(steering.filter(group="y", method="all", layer=2)["vector"])[0]
    assert np.allclose(found, along / np.linalg.norm(along), atol=1e-5)
    assert read_json(folder / "weights")["named"] == {group: [word] for group, word in OWN.items()}


def test_unsteered_answers_come_with_norms_of_every_block(folder: Path) -> None:
    table = read_table(folder / "unsteered", UNSTEERED)
    assert table["group"].value_counts().sort("group").rows() == [(group, 4) for group in NAMES]
    assert (table["cross"] != table["group"]).all() and table["log_perplexity"].is_null().equals(table["text"] == "")
    norms = read_json(folder / "norms")["residual_norms"]
    assert len(norms) == 3 and min(norms) > 0


def test_the_method_that_is_known_to_work_is_chosen_and_the_same_again(folder: Path) -> None:
    tried = {method: read_table(folder / f"tried_{method}", SWEEP) for method in METHODS}
    assert read_table(folder / "again", SWEEP).equals(tried["all"])
    for method in ("all", "mean_difference", "rotated"):
        # two strengths at two places, half of them on all questions, towards both targets
        rows = tried[method].filter(pl.col("method") == method)
        assert sorted(rows["n"]) == [12, 12, 24, 24]
        assert tried[method].filter(method="unsteered").equals(tried["all"].filter(method="unsteered"))
    assert tried["distinctive"]["method"].to_list() == ["unsteered"], "no group has distinctive attributes"
    choice = read_choice(folder / "choice")
    assert (choice.method, choice.alpha, choice.mode, choice.fluent) == ("all", 30.0, "add", True)
    assert set(choice.methods) == {"all", "mean_difference", "rotated"} and choice.methods["rotated"].mode == "rotate"
    table = read_table(folder / "sweep", SWEEP)
    chosen = table.filter("chosen").row(0, named=True)
    assert table["chosen"].sum() == 1 and tuple(chosen["layers"]) == choice.layers and chosen["hit_rate"] == 1
    assert chosen["gain_own"] > 0.5 and chosen["gain_cross"] > 0.5
    assert read_json(folder / "choice")["why"].startswith("all at blocks")
    assert read_json(folder / "choice")["forecast"]["places"] == 6
