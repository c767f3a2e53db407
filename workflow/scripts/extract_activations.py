"""Read the activation of "You use X." for every style attribute at every block."""

from __future__ import annotations

import torch

from sociolect.activations import attribute_vectors
from sociolect.generation.backends import open_backend
from sociolect.generation.requests import Backend
from sociolect.generation.transformers_backend import TransformersBackend
from sociolect.runtime import Job, run_program
from sociolect.schemas import ACTIVATIONS, CATALOGUE
from sociolect.settings import ActivationSettings


def main(job: Job[ActivationSettings]) -> None:
    """One vector per attribute and block."""
    torch.set_num_threads(job.threads)
    job.stage("model")
    dtype, budget, catalogue = job.options["dtype"], job.settings.batch_tokens, job.read("catalogue", CATALOGUE)
    reader = TransformersBackend(job.path("model"), budget, dtype)
    generator: Backend = reader
    if job.settings.source != "forward":
        generator = open_backend(job.options["backend"], job.path("model"), budget, dtype, job.threads, reader)
    job.stage("activations", **generator.info())
    progress = job.progress("activations")
    frame = attribute_vectors(reader, catalogue, job.settings, job.run_seed, progress, generator)
    job.write(frame, "vectors", ACTIVATIONS, backend=generator.info())
    generator.close()


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        ActivationSettings,
        inputs=["catalogue", "model"],
        outputs=["vectors"],
        options=["dtype", "backend"],
    )
