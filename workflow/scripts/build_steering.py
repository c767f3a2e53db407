"""Make the steering vector of every group, method and block, its controls, and a forecast of what each will do."""

from __future__ import annotations

import logging

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import ACTIVATIONS, CATALOGUE, FORECAST, GROUPS, READINGS, STEERING
from sociolect.settings.steering import SteeringSettings
from sociolect.steering.attribute_weights import group_weights, named_attributes
from sociolect.steering.forecast import forecast_table
from sociolect.steering.material import material_of
from sociolect.steering.vectors import steering_report, steering_table

log = logging.getLogger("sociolect")


def main(job: Job[SteeringSettings]) -> None:
    """Vectors and controls."""
    groups, catalogue = job.read("groups", GROUPS), job.read("catalogue", CATALOGUE)
    ids = catalogue["attribute_id"].to_list()
    weights = group_weights(groups, ids, job.settings)
    material = material_of(
        groups["group"].to_list(), job.read("vectors", ACTIVATIONS), ids, weights, job.read("readings", READINGS)
    )
    frame, built = steering_table(material, job.settings.methods, job.run_seed)
    report = steering_report(weights, built, ids)
    for warning in report["warnings"]:
        log.warning("warning: %s", warning)
    names = dict(zip(ids, catalogue["attribute"], strict=True))
    for methods in report["groups"].values():
        for entry in methods.values():
            for heavy in entry["heaviest"]:
                heavy["attribute"] = names[heavy["attribute_id"]]
    report["named"] = named_attributes(groups, catalogue, job.settings)
    job.write(frame, "steering", STEERING)
    job.write(forecast_table(material, built, job.settings.methods), "forecast", FORECAST)
    job.write_json(report, "weights")


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        SteeringSettings,
        inputs=["groups", "catalogue", "vectors", "readings"],
        outputs=["steering", "weights", "forecast"],
        seeded=True,
    )
