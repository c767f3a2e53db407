"""Combine attribute vectors into a steering vector per group, method and block; report the weights."""

from __future__ import annotations

import logging

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import ACTIVATIONS, CATALOGUE, GROUPS, STEERING
from sociolect.settings.steering import SteeringSettings
from sociolect.steering.vectors import build_steering

log = logging.getLogger("sociolect")


def main(job: Job[SteeringSettings]) -> None:
    """Vectors and controls."""
    catalogue = job.read("catalogue", CATALOGUE)
    frame, report = build_steering(
        job.read("groups", GROUPS),
        job.read("vectors", ACTIVATIONS),
        catalogue["attribute_id"].to_list(),
        job.settings,
        job.run_seed,
    )
    for warning in report["warnings"]:
        log.warning("warning: %s", warning)
    names = dict(zip(catalogue["attribute_id"], catalogue["attribute"], strict=True))
    for methods in report["groups"].values():
        for entry in methods.values():
            for heavy in entry["heaviest"]:
                heavy["attribute"] = names[heavy["attribute_id"]]
    job.write(frame, "steering", STEERING)
    job.write_json(report, "weights")


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        SteeringSettings,
        inputs=["groups", "catalogue", "vectors"],
        outputs=["steering", "weights"],
        seeded=True,
    )
