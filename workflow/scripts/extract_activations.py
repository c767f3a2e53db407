"""Read the activation of "You use X." for every style attribute at every block."""

from __future__ import annotations

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import ACTIVATIONS, CATALOGUE
from sociolect.lm.backends import open_backend
from sociolect.lm.requests import Backend
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import open_wording
from sociolect.settings.steering import ActivationSettings
from sociolect.steering.activations import attribute_vectors


def main(job: Job[ActivationSettings]) -> None:
    """One vector per attribute and block."""
    job.stage("model")
    dtype, budget, catalogue = job.options["dtype"], job.settings.batch_tokens, job.read("catalogue", CATALOGUE)
    reader = TransformersBackend(job.path("model"), budget, dtype)
    generator: Backend = reader
    if job.settings.source != "forward":
        generator = open_backend(job.options["backend"], job.path("model"), budget, dtype, job.threads, reader)
    style, date = job.options["prompt_style"], job.options["prompt_date"]
    wording = open_wording(reader.tokenizer, style, document_file=job.path_if_given("document"), date=date)
    job.stage("activations", **generator.info())
    progress = job.progress("activations")
    frame = attribute_vectors(reader, wording, catalogue, job.settings, job.run_seed, progress, generator)
    job.write(frame, "vectors", ACTIVATIONS, backend=generator.info())
    generator.close()


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        ActivationSettings,
        inputs=["catalogue", "model", "document?"],
        outputs=["vectors"],
        options=["dtype", "backend", "prompt_style", "prompt_date"],
        seeded=True,
    )
