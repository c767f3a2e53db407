"""Put the shards of labels together and check that every answer has all scores exactly once."""

from __future__ import annotations

from sociolect.labelling import gather_shards, read_texts
from sociolect.runtime import Job, run_program
from sociolect.schemas import CATALOGUE, LABELS
from sociolect.settings import LabelingSettings


def main(job: Job[LabelingSettings]) -> None:
    answers = read_texts(job.path("answers"), job.options["id_column"], None)
    n_attributes = job.read("catalogue", CATALOGUE).height
    job.write(gather_shards(job.inputs["shards"], answers["answer_id"].to_list(), n_attributes), "labels", LABELS)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        LabelingSettings,
        inputs=["shards*", "answers", "catalogue"],
        outputs=["labels"],
        options=["id_column"],
    )
