"""Choose method, layers and strength of the steering on val questions, and measure the residual norms."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sociolect.common.artifacts import matrix
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, GROUPS, SAMPLES, STEERING, SWEEP
from sociolect.embedding.net import load_net
from sociolect.generation.planning import questions_of
from sociolect.labels.scorers import load_scorer
from sociolect.lm.backends import open_backend
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import open_wording
from sociolect.settings.steering import SweepJob
from sociolect.steering.sweep import choice_of, choose, layer_sets, search, sweep_table
from sociolect.steering.trials import Trials, nearest_by_style, usable_methods
from sociolect.syntax.tagging import tagging_by


def main(job: Job[SweepJob]) -> None:
    sweep, generation, labeling = job.settings.sweep, job.settings.generation, job.settings.labeling
    groups, steering = job.read("groups", GROUPS).sort("group"), job.read("steering", STEERING)
    methods = usable_methods(steering, groups["group"].to_list(), job.settings.steering.methods)
    job.stage("models")
    dtype, budget, style = job.options["dtype"], generation.batch_tokens, job.options["prompt_style"]
    reader = TransformersBackend(job.path("lm"), budget, dtype)
    backend = open_backend(job.options["backend"], job.path("lm"), budget, dtype, job.threads, reader)
    net, hyper = load_net(job.path("embedding"))
    # a rule whose scorer is a model passes no tagger
    tag = tagging_by(job.settings.syntax.tagger) if labeling.scorer == "measured" else None
    scorer = load_scorer(job.path("sfam"), job.read("catalogue", CATALOGUE), labeling, tag=tag)
    nearest = nearest_by_style(scorer, net, matrix(groups["embedding"]), groups["group"].to_list(), hyper["distance"])
    job.stage("unsteered answers", **backend.info())
    questions = questions_of(job.read("samples", SAMPLES), groups["group"].to_list(), "val", sweep.questions_per_group)
    wording = open_wording(reader.tokenizer, style, job.path("prompts"), job.path_if_given("document"))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "vectors.safetensors"
        trials = Trials(
            reader, backend, questions, steering, wording, generation, nearest, sweep.positions, file, job.run_seed
        )
        progress = job.progress("sweep")
        evaluate, sets = partial(trials.evaluate, progress=progress), layer_sets(sweep, reader.n_layers)
        found = search(evaluate, methods, sets, sweep, trials.base)
    best = choose(found, trials.base, sweep)
    job.write(sweep_table(found, trials.base, best, sweep), "sweep", SWEEP, backend=backend.info())
    job.write_json(choice_of(best, found, trials.base, trials.norms, sweep), "choice")
    backend.close()


if __name__ == "__main__":
    run_program(
        main, __doc__, SweepJob,
        inputs=["samples", "groups", "steering", "catalogue", "lm", "sfam", "embedding", "prompts", "document?"],
        outputs=["sweep", "choice"], options=["dtype", "backend", "prompt_style"], seeded=True,
    )  # fmt: skip
