"""The path of a real study, a folder standing in for the hub: models fetched, pinned, loaded offline."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from conftest import copy_project, snakemake
from sociolect.common import schemas
from sociolect.common.artifacts import matrix, read_table
from sociolect.models.loading import load_causal_lm, load_tokenizer
from sociolect.settings.config import read_config
from sociolect.settings.models import HubModel
from sociolect.sfam.model import load_agreement
from tiny_models import save_deberta, save_gguf, save_tiny, tiny, word_tokenizer

REVISION = "0123456789abcdef0123456789abcdef01234567"


def test_hub_models_go_through_the_whole_chain(demo: Path, tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "project")
    hub = tmp_path / "hub"
    for name in ("sfam", "lm"):
        shutil.copytree(demo / f"results/demo/models/{name}", hub / "tiny" / name / REVISION)
    config = yaml.safe_load((folder / "config/demo.yaml").read_text())
    config |= {
        "run": "hub",
        "models": {n: {"repo": f"tiny/{n}", "revision": REVISION} for n in ("sfam", "lm")} | {"hub": str(hub)},
        "description": {
            "describer": "llm",
            "prompt_file": "workflow/prompts/conditions.yaml",
            "n_answers": 240,
            "n_heldout": 60,
            "max_new_tokens": 120,
        },
        "catalogue": {"min_share": 0.05, "max_share": 0.9},
        "evaluation": {"resamples": 200},
    }
    config["sampling"]["per_group"] = {"single": 60, "multi": 30, "askx": 40}
    config["sampling"]["minimum"] = {"single": 60, "multi": 30, "askx": 40}
    config["sfam"] |= {"max_steps": 60, "eval_steps": 30, "min_auroc": 0}
    # as config/config.yaml has it: a student labels, also in the sweep and of the generations
    config["labeling"]["scorer"] = "distilled"
    config["distillation"] |= {"n_answers": 120, "n_heldout": 40, "max_epochs": 2, "min_pearson": -1}
    config["embedding"] |= {"n_trials": 2, "max_epochs": 3}
    config["generation"] |= {"questions_per_group": 2, "samples": 1, "shards": 1}
    config["steering"]["methods"], config["adapters"]["enabled"] = ["all", "content_free"], False
    config["readings"] = {"answers_per_group": 8, "pairs_per_group": 4, "folds": 4}
    config["sweep"] |= {"questions_per_group": 1, "halvings": 0, "depths": [0.0], "band": None, "alphas": [0.0, 0.4]}
    config.pop("scratch")
    (folder / "hub.yaml").write_text(yaml.safe_dump(config))
    snakemake(folder, "--configfile", "hub.yaml", "--profile", "profiles/local")

    run = folder / "results/hub"
    for name in ("sfam", "lm"):
        snapshot = json.loads((run / f"models/{name}/snapshot.json").read_text())
        assert (snapshot["repo"], snapshot["revision"]) == (f"tiny/{name}", REVISION)
        assert len(snapshot["files"]["model.safetensors"]["sha256"]) == 64
    sentences = read_table(run / "attributes/sentences.parquet", schemas.SENTENCES)
    assert set(sentences["prompt_id"].unique()) == {"taught@1"}
    assert sentences["attribute"].drop_nulls().is_in(["hedging words", "greetings", "numbers"]).any()
    assert read_table(run / "comparison/main.parquet", schemas.COMPARISON)["n"][0] == 12
    student = json.loads((run / "sfam/student/config.json").read_text())
    k = matrix(read_table(run / "labels/single.parquet", schemas.LABELS)["style"]).shape[1]
    assert len(student["id2label"]) == k and (run / "cache/labels/generations-main").is_dir()
    rules = {p.name.removesuffix(".log") for p in (run / "logs").iterdir()}
    assert {"fetch_model", "distil_student", "measure_fidelity"} <= rules and not {
        "train_scratch_lm",
        "make_scratch_sfam",
    } & rules
    assert pl.read_parquet(run / "attributes/funnel.parquet")["n_left"][-1] > 5


def test_one_gpu_fetches_what_it_names_and_all_its_rules_fit_together(project: Path) -> None:
    """With tiny models of the same families in place of those of the hub, in their very files."""
    (project / "data").mkdir(exist_ok=True)
    for split in ("single", "multi", "askx"):
        (project / f"data/{split}.parquet").touch()
    config = read_config(project / "config/one-gpu.yaml")
    sfam, lm = config.models.sfam, config.models.lm
    assert isinstance(sfam, HubModel) and isinstance(lm, HubModel)
    save_deberta(project / "hub" / sfam.repo / sfam.revision, ["The author uses commas, dots and long words."])
    save_tiny(tiny("qwen2"), word_tokenizer(), project / "hub" / lm.repo / lm.revision)
    values = yaml.safe_load((project / "config/one-gpu.yaml").read_text())
    values["models"]["hub"] = "hub"
    (project / "one-gpu.yaml").write_text(yaml.safe_dump(values))
    planned = snakemake(project, "--dry-run", "--printshellcmds", "--configfile", "one-gpu.yaml").stdout
    for rule in ("fetch_model", "describe_style", "distil_student", "try_method", "compare_judges"):
        assert rule in planned
    # for the GPU hours of the report
    asked = re.search(r"--gpus '(\{[^']*\})'", planned)
    assert asked and json.loads(asked[1])["train_sfam"] == 1 and "write_report" not in asked[1]
    models = project / "results/one-gpu/models"
    snakemake(project, "--configfile", "one-gpu.yaml", "--", *(f"results/one-gpu/models/{n}" for n in ("sfam", "lm")))
    assert load_causal_lm(models / "lm", config.models.dtype, "cpu").config.model_type == "qwen2"
    assert load_tokenizer(models / "lm").chat_template is not None
    assert load_agreement(models / "sfam", config.labeling.max_tokens, 2).model.config.model_type == "deberta-v2"


def test_a_file_that_changed_is_fetched_again_and_another_dtype_fetches_nothing(project: Path) -> None:
    values: dict[str, Any] = {
        "run": "mine",
        "experiments": {"main": {"fit": ["single"], "ask": "single"}},
        "corpus": {"source": "demo"},
        "models": {"lm": {"gguf": "models/mine.gguf"}},
    }

    def run(*args: str, **models: object) -> str:
        (project / "mine.yaml").write_text(yaml.safe_dump({**values, "models": {**values["models"], **models}}))
        done = snakemake(project, *args, "--configfile", "mine.yaml", "--", "results/mine/models/lm", check=False)
        return done.stdout + done.stderr

    assert "models/mine.gguf" in run("--dry-run")
    (project / "models").mkdir()
    save_gguf(project / "models/mine.gguf")
    run()
    snapshot = project / "results/mine/models/lm/snapshot.json"
    first = json.loads(snapshot.read_text())["sha256"]
    assert "Nothing to be done" in run("--dry-run", dtype="bfloat16", hub="elsewhere")
    save_gguf(project / "models/mine.gguf", quantized=True)
    run()
    assert json.loads(snapshot.read_text())["sha256"] != first
    whole = (project / "models/mine.gguf").read_bytes()
    (project / "models/mine.gguf").write_bytes(whole[:-100])
    run()
    log = (project / "results/mine/logs/fetch_model/lm.log").read_text()
    assert log.splitlines()[-1].startswith("error: models/mine.gguf: cut, it has") and not snapshot.exists()
