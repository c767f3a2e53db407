"""Read the activation of "You use X." for every style attribute at every block."""

from __future__ import annotations

import torch

from sociolect.activations import attribute_vectors
from sociolect.generation.transformers_backend import TransformersBackend
from sociolect.runtime import Job, run_program
from sociolect.schemas import ACTIVATIONS, CATALOGUE
from sociolect.settings import ActivationSettings


def main(job: Job[ActivationSettings]) -> None:
    """One vector per attribute and block."""
    torch.set_num_threads(job.threads)
    job.stage("model")
    backend = TransformersBackend(job.path("model"), job.settings.batch_tokens, job.options["dtype"])
    job.stage("activations", **backend.info())
    catalogue = job.read("catalogue", CATALOGUE)
    frame = attribute_vectors(backend, catalogue, job.settings, job.run_seed, job.progress("activations"))
    job.write(frame, "vectors", ACTIVATIONS, backend=backend.info())


if __name__ == "__main__":
    run_program(
        main, __doc__, ActivationSettings, inputs=["catalogue", "model"], outputs=["vectors"], options=["dtype"]
    )
