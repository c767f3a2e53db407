"""Pair described answers with attributes: positives, easy and hard negatives, held-out attributes and texts."""

from __future__ import annotations

from sociolect.attributes.said import attributes_of_answers
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, PAIRS, SENTENCES
from sociolect.settings.sfam import PairSettings
from sociolect.sfam.pairs import build_pairs


def main(job: Job[PairSettings]) -> None:
    catalogue = job.read("catalogue", CATALOGUE)
    described = attributes_of_answers(job.read("sentences", SENTENCES), catalogue)
    job.write(build_pairs(described, catalogue, job.settings, job.seed()), "pairs", PAIRS)


if __name__ == "__main__":
    run_program(main, __doc__, PairSettings, inputs=["sentences", "catalogue"], outputs=["pairs"], seeded=True)
