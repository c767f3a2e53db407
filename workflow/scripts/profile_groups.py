"""Profile the groups on train: style, embedding, distinctive attributes, weights; and their distances on val."""

import json

import polars as pl

from sociolect.artifacts import matrix
from sociolect.embedding.net import embed, load_net
from sociolect.experiments import load_fit
from sociolect.profiles import group_distances, profile_table
from sociolect.runtime import InputError, Job, run_program
from sociolect.schemas import CATALOGUE, GROUP_DISTANCES, GROUPS
from sociolect.settings import ProfileJob


def main(job: Job[ProfileJob]) -> None:
    frame = load_fit(job)
    catalogue = job.read("catalogue", CATALOGUE)["attribute_id"].to_list()
    net, hyper = load_net(job.path("model"))
    metrics = json.loads(job.path("metrics").read_text(encoding="utf-8"))
    if not isinstance(metrics.get("threshold"), float | int):
        raise InputError(f"{job.path('metrics')}: has no number `threshold`; train SFAM again")
    train, val = (frame.filter(pl.col("part") == part) for part in ("train", "val"))
    job.stage("profiles", groups=train["group"].n_unique())
    profiles = profile_table(
        train, catalogue, net, float(metrics["threshold"]), job.settings.profiles, job.settings.steering, job.run_seed
    )
    job.write(profiles, "groups", GROUPS)
    distances = group_distances(
        embed(net, matrix(val["style"])),
        val["group"].to_list(),
        matrix(profiles["embedding"]),
        profiles["group"].to_list(),
        hyper["distance"],
        job.settings.profiles.alike_below,
    )
    job.write(distances, "distances", GROUP_DISTANCES)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        ProfileJob,
        inputs=["samples*", "labels*", "ask", "model", "catalogue", "metrics"],
        outputs=["groups", "distances"],
        options=["splits"],
    )
