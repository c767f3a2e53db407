"""Choose method, layers and strength on val from what every method reached, and say why."""

from __future__ import annotations

import logging

from sociolect.common.artifacts import read_table
from sociolect.common.files import read_json
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import FORECAST, GROUPS, STEERING, SWEEP
from sociolect.settings.base import Stage
from sociolect.steering.forecast import rank_correlation
from sociolect.steering.methods import METHODS
from sociolect.steering.sweep import choice_of

log = logging.getLogger("sociolect")


def main(job: Job[Stage]) -> None:
    """The sweep of all methods, and the choice."""
    tried = [read_table(path, SWEEP) for path in job.inputs["tried"]]
    names = job.read("groups", GROUPS)["group"].to_list()
    have = set(job.read("steering", STEERING).select("group", "method").unique().iter_rows())
    usable = [name for name in METHODS if all((group, name) in have for group in names)]
    modes = {name: method.MODE for name, method in METHODS.items()}
    choice, table = choice_of(tried, modes, read_json(job.path("norms"))["residual_norms"], usable)
    rho, places = rank_correlation(job.read("forecast", FORECAST), table)
    log.info("%s", choice["why"])
    job.write(table, "sweep", SWEEP)
    job.write_json(choice | {"forecast": {"rank_correlation": rho, "places": places}}, "choice")


if __name__ == "__main__":
    run_program(
        main, __doc__, Stage, inputs=["tried*", "norms", "groups", "steering", "forecast"], outputs=["sweep", "choice"]
    )
