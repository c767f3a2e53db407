"""Put the shards of labels together and check that every answer has all scores exactly once."""

from __future__ import annotations

from sociolect.common.digests import digest_of
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, LABELS
from sociolect.labels.buckets import gather_shards, iter_texts
from sociolect.settings.labels import LabelingSettings


def main(job: Job[LabelingSettings]) -> None:
    ids = [i for frame in iter_texts(job.path("answers"), job.options["id_column"], None) for i in frame["answer_id"]]
    catalogue = job.read("catalogue", CATALOGUE)
    made_with = digest_of(catalogue["author_sentence"].to_list())
    with job.writer("labels", LABELS, {}) as write:
        gather_shards(job.inputs["shards"], ids, catalogue.height, made_with, job.outputs["labels"].parent, write)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        LabelingSettings,
        inputs=["shards*", "answers", "catalogue"],
        outputs=["labels"],
        options=["id_column"],
    )
