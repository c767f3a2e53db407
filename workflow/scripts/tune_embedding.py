"""Search the hyper-parameters of the embedding net on val: a table of trials."""

import torch

from sociolect.embedding.tuning import fit_data, tune
from sociolect.experiments import load_fit
from sociolect.runtime import Job, run_program
from sociolect.schemas import TRIALS
from sociolect.settings import EmbeddingSettings


def main(job: Job[EmbeddingSettings]) -> None:
    torch.set_num_threads(job.threads)
    data = fit_data(load_fit(job))
    job.stage("trials", groups=list(data.groups), train=len(data.style), val=len(data.val_group))
    job.write(tune(data, job.settings, job.run_seed, job.progress("trials")), "trials", TRIALS)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        EmbeddingSettings,
        inputs=["samples*", "labels*", "ask"],
        outputs=["trials"],
        options=["splits"],
    )
