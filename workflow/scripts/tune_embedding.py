"""Search the hyper-parameters of the embedding net on val: a table of trials."""

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import LABELS, SAMPLES, TRIALS
from sociolect.embedding.fit_data import fit_data
from sociolect.embedding.tuning import tune
from sociolect.labels.fit import labeled_answers
from sociolect.settings.embedding import EmbeddingSettings


def main(job: Job[EmbeddingSettings]) -> None:
    data = fit_data(
        labeled_answers(
            job.read_by("splits", "samples", SAMPLES), job.read_by("splits", "labels", LABELS), job.read("ask", SAMPLES)
        )
    )
    job.stage("trials", groups=list(data.groups), train=len(data.style), val=len(data.val_group))
    job.write(tune(data, job.settings, job.run_seed, job.progress("trials")), "trials", TRIALS)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        EmbeddingSettings,
        inputs=["samples*", "labels*", "ask"],
        outputs=["trials"],
        options=["splits"],
        seeded=True,
    )
