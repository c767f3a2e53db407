"""Measure how much of each accuracy is left with the topic held still."""

import logging
from functools import partial

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import LABELS, SAMPLES, TOPIC, TRIALS
from sociolect.embedding.findings import topic_sentences
from sociolect.embedding.masking import mask_by_tags, mask_content
from sociolect.embedding.topic import measure_topic, models_of, net_near
from sociolect.embedding.tuning import best_trial, trial_seed
from sociolect.labels.fit import labeled_answers
from sociolect.settings.embedding import TopicJob
from sociolect.sfam.threshold import read_threshold
from sociolect.syntax.lookup import read_rows

log = logging.getLogger("sociolect")


def main(job: Job[TopicJob]) -> None:
    frame = labeled_answers(
        job.read_by("splits", "samples", SAMPLES), job.read_by("splits", "labels", LABELS), job.read("ask", SAMPLES)
    )
    number, hyper, _ = best_trial(job.read("trials", TRIALS), job.settings.embedding)
    net = partial(
        net_near,
        hyper=hyper,
        embedding=job.settings.embedding,
        profiles=job.settings.profiles,
        theta=read_threshold(job.path("metrics")),
        seed=trial_seed(job.run_seed, number),
    )
    job.stage("texts", answers=frame.height)
    tagged = read_rows(job.inputs["tagged"], frame)
    masked = mask_content(frame["answer"].to_list()) if tagged is None else mask_by_tags(tagged)
    table = measure_topic(
        frame, models_of(frame, net), masked, job.settings.topic, job.run_seed, job.progress("models")
    )
    for sentence in topic_sentences(table):
        log.info("%s", sentence)
    job.write(table, "topic", TOPIC)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        TopicJob,
        inputs=["samples*", "labels*", "ask", "trials", "metrics", "tagged*"],
        outputs=["topic"],
        options=["splits"],
        seeded=True,
    )
