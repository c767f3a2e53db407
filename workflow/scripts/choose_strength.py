"""Choose method, layers and strength of the steering on val questions, and measure the residual norms."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from sociolect.artifacts import matrix
from sociolect.embedding.net import load_net
from sociolect.generation.backends import open_backend
from sociolect.generation.planning import questions_of
from sociolect.generation.transformers_backend import TransformersBackend
from sociolect.generation.trials import Trials, style_judge, usable_methods
from sociolect.prompts import read_prompts
from sociolect.runtime import Job, run_program
from sociolect.schemas import CATALOGUE, GROUPS, SAMPLES, STEERING, SWEEP
from sociolect.scorers import load_scorer
from sociolect.settings import SweepJob
from sociolect.sweep import choice_of, choose, layer_sets, search, sweep_table


def main(job: Job[SweepJob]) -> None:
    """Sweep, choose, write."""
    torch.set_num_threads(job.threads)
    sweep, generation, labeling = job.settings.sweep, job.settings.generation, job.settings.labeling
    groups, steering = job.read("groups", GROUPS).sort("group"), job.read("steering", STEERING)
    methods = usable_methods(steering, groups["group"].to_list(), job.settings.steering.methods)
    job.stage("models")
    dtype, budget = job.options["dtype"], generation.batch_tokens
    reader = TransformersBackend(job.path("lm"), budget, dtype)
    backend = open_backend(job.options["backend"], job.path("lm"), budget, dtype, job.threads, reader)
    sentences = job.read("catalogue", CATALOGUE)["author_sentence"].to_list()
    net, hyper = load_net(job.path("embedding"))
    scorer = load_scorer(job.path("sfam"), sentences, labeling)
    judge = style_judge(scorer, net, matrix(groups["embedding"]), groups["group"].to_list(), hyper["distance"])
    job.stage("unsteered answers", **backend.info())
    questions = questions_of(job.read("samples", SAMPLES), groups["group"].to_list(), "val", sweep.questions_per_group)
    prompts = read_prompts(job.path("prompts"))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "vectors.safetensors"
        trials = Trials(
            reader, backend, questions, steering, prompts, generation, judge, sweep.positions, file, job.run_seed
        )
        progress = job.progress("sweep")
        sets = layer_sets(sweep, reader.n_layers)
        found = search(lambda batch: trials.evaluate(batch, progress), methods, sets, sweep, trials.base)
    best = choose(found, trials.base, sweep)
    job.write(sweep_table(found, trials.base, best, sweep), "sweep", SWEEP, backend=backend.info())
    job.write_json(choice_of(best, found, trials.base, trials.norms, sweep), "choice")
    backend.close()


if __name__ == "__main__":
    inputs = ["samples", "groups", "steering", "catalogue", "lm", "sfam", "embedding", "prompts"]
    run_program(main, __doc__, SweepJob, inputs=inputs, outputs=["sweep", "choice"], options=["dtype", "backend"])
