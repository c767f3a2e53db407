"""Time a little of each costly stage on this machine, on answers of the run: seconds per unit."""

from __future__ import annotations

import time

import torch

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import RATES, SAMPLES
from sociolect.estimate.probes import Folders, all_probes, rates_table
from sociolect.estimate.probing import Timed
from sociolect.settings.estimate import ProbeJob


def main(job: Job[ProbeJob]) -> None:
    """Probe one stage after the other, and write the rates."""
    imports = time.process_time()  # nothing but imports has taken this process's time so far
    torch.manual_seed(job.seed("weights"))
    given = {name: (paths[0] if paths else None) for name, paths in job.inputs.items() if name != "samples"}
    folders = Folders(given["sfam"], given["lm"], job.path("prompts"), given["document"], given["describing"])
    found = [("imports", "job", Timed(1, imports, imports))]
    samples, dtype = job.read("samples", SAMPLES), job.options["dtype"]
    backend, style, date = (job.options[name] for name in ("backend", "prompt_style", "prompt_date"))
    for name, unit, timed in all_probes(job.settings, samples, folders, dtype, backend, style, date, job.threads):
        found.append((name, unit, timed))
        job.stage(f"probed {name}", message=f"{timed.rate:.3g} s per {unit}")
    job.write(rates_table(found, job.settings, dtype, job.threads), "rates", RATES)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        ProbeJob,
        inputs=["samples*", "sfam?", "lm?", "prompts", "document?", "describing?"],
        outputs=["rates"],
        options=["dtype", "backend", "prompt_style", "prompt_date"],
        seeded=True,
    )
