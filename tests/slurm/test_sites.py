"""The three example sites of profiles/slurm/README.md, as they stand there, each get a GPU of the model they name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from slurm.cluster import Cluster
from slurm.projects import Site

README = Path(__file__).resolve().parents[2] / "profiles/slurm/README.md"
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)]
RULES = """
rule generate_answers:
    output: "out/{name}.txt"
    resources: gpu=1
    shell: "echo $CUDA_VISIBLE_DEVICES > {output}"
"""


@pytest.mark.parametrize("example", EXAMPLES, ids=["gpus", "gres", "constraint"])
def test_example_site_gets_its_gpu(site: Site, cluster: Cluster, example: dict[str, Any]) -> None:
    asked = example["set-resources"]["generate_answers"]
    site.rules(RULES)
    flags = [f"generate_answers:{key}={value}" for key, value in asked.items()]
    assert site.run("--set-resources", *flags, "--", "out/a.txt") == 0, site.output()
    (job,) = site.jobs()
    assert "gres/gpu:a100=1" in cluster.alloc_tres(job.job)
    assert (site.folder / "out/a.txt").read_text() in ("0\n", "1\n")
    assert "node=node01 nodes=1 gpus=1 " in Path(job.slurm_log).read_text()
