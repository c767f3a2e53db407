"""Profile the groups on train: style, embedding, distinctive attributes, weights; and their distances on val."""

import logging

import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, GROUP_DISTANCES, GROUPS, LABELS, SAMPLES
from sociolect.embedding.distinct import few_distinctive
from sociolect.embedding.net import embed, load_net
from sociolect.embedding.profiles import group_distances, profile_table
from sociolect.embedding.statistics import center_of
from sociolect.labels.fit import labeled_answers
from sociolect.settings.embedding import ProfileSettings
from sociolect.sfam.threshold import read_threshold


def main(job: Job[ProfileSettings]) -> None:
    frame = labeled_answers(
        job.read_by("splits", "samples", SAMPLES), job.read_by("splits", "labels", LABELS), job.read("ask", SAMPLES)
    )
    catalogue = job.read("catalogue", CATALOGUE)["attribute_id"].to_list()
    net, hyper = load_net(job.path("model"))
    theta = read_threshold(job.path("metrics"))
    train, val = (frame.filter(pl.col("part") == part) for part in ("train", "val"))
    job.stage("profiles", groups=train["group"].n_unique())
    profiles = profile_table(
        train, catalogue, net, theta, job.settings, center_of(job.settings.center, hyper), job.run_seed
    )
    if warning := few_distinctive(profiles):
        logging.getLogger("sociolect").warning("%s", warning)
    job.write(profiles, "groups", GROUPS)
    distances = group_distances(
        embed(net, matrix(val["style"])),
        val["group"].to_list(),
        matrix(profiles["embedding"]),
        profiles["group"].to_list(),
        hyper["distance"],
        job.settings.alike_below,
    )
    job.write(distances, "distances", GROUP_DISTANCES)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        ProfileSettings,
        inputs=["samples*", "labels*", "ask", "model", "catalogue", "metrics"],
        outputs=["groups", "distances"],
        options=["splits"],
        seeded=True,
    )
