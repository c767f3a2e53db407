"""Read one table of answers, clean it, and list what was repaired or left out."""

from __future__ import annotations

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CORPUS, CORPUS_FUNNEL
from sociolect.corpus.cleaning import import_corpus
from sociolect.settings.corpus import CorpusSettings


def main(job: Job[CorpusSettings]) -> None:
    """Write the cleaned corpus and its funnel."""
    corpus, funnel = import_corpus(job.path("table"), job.options["split"], job.settings)
    job.write(corpus, "corpus", CORPUS)
    job.write(funnel, "funnel", CORPUS_FUNNEL)


if __name__ == "__main__":
    run_program(main, __doc__, CorpusSettings, inputs=["table"], outputs=["corpus", "funnel"], options=["split"])
