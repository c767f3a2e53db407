"""Probes of a site."""

from __future__ import annotations

from sociolect.slurm.doctor import requests_of


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
