"""Judge SFAM before it labels: its AUROC on val by steps; end with an error where it is hardly better than chance."""

from __future__ import annotations

from sociolect.common.files import read_json
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import SFAM_STEPS
from sociolect.settings.sfam import SfamSettings
from sociolect.sfam.judging import check_auroc, steps_table


def main(job: Job[SfamSettings]) -> None:
    """Refuse, or write the steps."""
    metrics = read_json(job.path("metrics"))
    check_auroc(metrics, job.settings.min_auroc)
    job.write(steps_table(metrics), "steps", SFAM_STEPS)


if __name__ == "__main__":
    run_program(main, __doc__, SfamSettings, inputs=["metrics"], outputs=["steps"])
