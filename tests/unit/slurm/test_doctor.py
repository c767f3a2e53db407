"""Probes of a site."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_servers import chat_server, free_address, said
from sociolect.settings.config import load_config
from sociolect.settings.models import ModelsSettings
from sociolect.slurm import doctor
from sociolect.slurm.doctor import judge_probe, requests_of
from tiny_models import save_llama, word_tokenizer


def test_probes_are_the_distinct_requests_of_a_profile() -> None:
    profile = {
        "default-resources": {"slurm_partition": "cpu", "slurm_account": "a"},
        "slurm-qos": "q",
        "set-resources": {
            "build_catalogue": {"runtime": 60},
            "train_sfam": {"slurm_partition": "'gpu'"},
            "label_answers": {"slurm_partition": "'gpu'"},
            "generate_answers": {"slurm_partition": "gpu", "gpu": 0, "gres": "gpu:a100:1"},
        },
    }
    flags = [request.flags() for request in requests_of(profile)]
    site = ["--partition=gpu", "--account=a", "--qos=q"]
    assert flags == [
        ["--partition=cpu", "--account=a", "--qos=q"],
        [*site, "--gpus=1"],
        [*site, "--gres=gpu:a100:1"],
    ]


def test_probe_of_a_gpu_that_torch_cannot_use_fails() -> None:
    said = "torch 2 imported in 1.0 s, GPUs given {}, usable {}, 9 MB free in /tmp"
    found = [judge_probe("p", "node01", said.format(*gpus), Path("1.log")) for gpus in ((0, 0), (1, 1), (1, 0))]
    assert [check.verdict for check in found] == ["ok", "ok", "FAIL"] and "torch cannot use" in found[2].remedy
    assert judge_probe("p", "node01", "", Path("1.log")).remedy.endswith("read 1.log")


def test_config_and_tokenizer_of_a_model_are_loaded_before_anything_is_submitted(tmp_path: Path) -> None:
    whole, results = tmp_path / "whole", tmp_path / "models"
    save_llama(whole, word_tokenizer())
    (whole / "model.safetensors").unlink()
    models = ModelsSettings.model_validate({"lm": {"folder": str(whole)}})
    sfam, lm = doctor.check_models(models, results, Path("c.yaml"))
    assert (sfam.verdict, sfam.found) == ("ok", "trained by the run")
    assert (lm.verdict, lm.found) == ("ok", f"{whole}: config and tokenizer load")
    (whole / "tokenizer.json").write_text("{}")
    _, lm = doctor.check_models(models, results, Path("c.yaml"))
    assert lm.verdict == "FAIL" and "no whole tokenizer" in lm.found and lm.remedy == "mend models.lm"
    # what was fetched is what counts
    results.mkdir()
    (whole / "config.json").write_text('{"model_type": "unheard-of"}')
    whole.rename(results / "lm")
    _, lm = doctor.check_models(models, results, Path("c.yaml"))
    assert lm.verdict == "FAIL" and f"{results / 'lm'}: its config cannot be loaded" in lm.found


def test_a_server_that_describes_is_asked_for_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    base = {"run": "x", "experiments": {"m": {"fit": ["single"], "ask": "single"}}}

    def checked(address: str, backend: str = "server") -> list[doctor.Check]:
        described = {"backend": backend, "server": {"address": address, "model": "tiny"}}
        return list(doctor.check_server(load_config({**base, "description": described}, "here")))

    with chat_server(lambda body, number: said("Yes.")) as told:
        (good,) = checked(told.address)
        assert (good.verdict, good.found) == ("ok", f"{told.address}: tiny answers this machine")
        assert checked(told.address, "transformers") == [] and len(told.bodies) == 1
    (gone,) = checked(free_address())
    assert gone.verdict == "FAIL" and "connection refused" in gone.found and gone.remedy.startswith("see that it runs")
