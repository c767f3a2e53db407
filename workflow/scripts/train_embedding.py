"""Train the embedding net with the chosen trial's hyper-parameters, and embed all answers of the fit splits."""

import logging

from sociolect.common.artifacts import matrix, vectors
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import EMBEDDINGS, LABELS, SAMPLES, TRIALS
from sociolect.embedding.fit_data import fit_data
from sociolect.embedding.net import embed, save_net
from sociolect.embedding.net_training import train_net
from sociolect.embedding.tuning import best_trial, describe_hyper, trial_seed
from sociolect.labels.fit import labeled_answers
from sociolect.settings.embedding import EmbeddingSettings

log = logging.getLogger("sociolect")


def main(job: Job[EmbeddingSettings]) -> None:
    frame = labeled_answers(
        job.read_by("splits", "samples", SAMPLES), job.read_by("splits", "labels", LABELS), job.read("ask", SAMPLES)
    )
    number, hyper, expected = best_trial(job.read("trials", TRIALS), job.settings)
    data = fit_data(frame)
    job.stage("training", trial=number)
    trained = train_net(data, hyper, job.settings, trial_seed(job.run_seed, number))
    log.info("trial %d: val accuracy %.4f, in the search %.4f", number, trained.accuracy, expected)
    if trained.accuracy != expected:
        log.warning("the chosen trial did not come out the same; was it searched with other threads or versions?")
    about = {
        **describe_hyper(hyper),
        "trial": number,
        "val_accuracy": trained.accuracy,
        "map": job.settings.map,
        "loss": job.settings.loss,
        "center": job.settings.center,
        "roles": job.settings.roles,
        "groups": list(data.groups),
    }
    save_net(trained.net, job.outputs["model"], about)
    table = frame.select(
        "answer_id", "split", "part", "group", vectors(embed(trained.net, matrix(frame["style"])), "embedding")
    )
    job.write(table, "embeddings", EMBEDDINGS)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        EmbeddingSettings,
        inputs=["samples*", "labels*", "ask", "trials"],
        outputs=["model", "embeddings"],
        options=["splits"],
        seeded=True,
    )
