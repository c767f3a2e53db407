"""Make a local, pinned snapshot of a model; the only program that may touch the network."""

from __future__ import annotations

from sociolect.common.errors import InputError
from sociolect.common.runtime import Job, run_program
from sociolect.models.hub import fetch_snapshot
from sociolect.settings.models import HubModel, ModelsSettings


def main(job: Job[ModelsSettings]) -> None:
    """Fetch `--name sfam` or `--name lm`."""
    name = job.options["name"]
    if name not in ("sfam", "lm"):
        raise InputError(f"--name {name!r}: use sfam or lm")
    model = getattr(job.settings, name)
    if not isinstance(model, HubModel):
        raise InputError(f"models.{name} is {model!r}, which is trained and not fetched; set its repo and revision")
    job.stage(f"fetch {model.repo}")
    fetch_snapshot(model, job.settings.hub, job.outputs["model"])


if __name__ == "__main__":
    run_program(main, __doc__, ModelsSettings, outputs=["model"], options=["name"])
