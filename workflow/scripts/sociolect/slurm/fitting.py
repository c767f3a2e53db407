"""Whether a node has what a job asks: its features, GPUs, memory and CPUs in sinfo's words. Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass

# of a job's record, what it asks of its node; arguments of `commands.nodes_of` in this order
ASKED = ("partition", "gpu_model", "constraint", "mem_mb", "cpus", "gpus")


@dataclass(frozen=True)
class Node:
    """A node in sinfo's words: `%G` and `%f`, `%m` in MB and `%c`."""

    name: str
    gres: str
    features: str
    memory: str
    cpus: str

    def fits(self, gpu_model: str, constraint: str, mem_mb: int, cpus: int, gpus: int) -> bool:
        """Whether it has all of this, when nothing else runs on it. What sinfo does not say in a number is enough."""
        has_gpus = n_gpus(self.gres, gpu_model) >= max(gpus, 1 if gpu_model else 0)
        enough = all(_number(has, asked) >= asked for has, asked in ((self.memory, mem_mb), (self.cpus, cpus)))
        return has_gpus and enough and has_features(self.features, constraint)


def n_gpus(gres: str, model: str = "") -> int:
    """GPUs in sinfo's `gpu:a100:2(S:0-1),shard:8` or a job's `gpu:2`, of this model if one is named."""
    found = 0
    for entry in re.sub(r"\([^)]*\)", "", gres).split(","):
        name, *kind = entry.split(":")
        if name == "gpu" and (not model or model in kind):
            found += _number(kind[-1] if kind else "", 1)
    return found


def has_features(features: str, constraint: str) -> bool:
    """Whether a node's features are what `constraint` asks: one of its parts between `|`, all that such a part joins.

    A constraint of another shape (brackets, counts, negations) is SLURM's own to judge, and holds for every node here:
    a node that is left out in error is given back when sbatch refuses the job; where no node fits, none is left out.
    """
    if re.search(r"[^\w.:/=+&|, -]", constraint):
        return True
    has = set(features.split(","))
    return any(set(re.findall(r"[^&, ]+", part)) <= has for part in constraint.split("|"))


def _number(text: str, otherwise: int) -> int:
    found = re.fullmatch(r"(\d+)[+KMGT]?", text)
    return int(found[1]) if found else otherwise
