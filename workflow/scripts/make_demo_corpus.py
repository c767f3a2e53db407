"""Make the demo's corpus up: three splits, and the truth of what was planted."""

from __future__ import annotations

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CORPUS, TRUTH
from sociolect.corpus.demo.made_up import make_demo_corpus
from sociolect.settings.corpus import DemoSettings


def main(job: Job[DemoSettings]) -> None:
    demo = make_demo_corpus(job.settings, job.seed())
    for split, frame in demo.frames.items():
        job.write(frame, split, CORPUS)
    job.write(demo.truth, "truth", TRUTH)


if __name__ == "__main__":
    run_program(main, __doc__, DemoSettings, outputs=["single", "multi", "askx", "truth"], seeded=True)
