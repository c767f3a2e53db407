"""Read one table of answers, clean it, and list what was repaired or left out."""

from __future__ import annotations

import logging

from sociolect.common.digests import digest_of
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CORPUS, CORPUS_FUNNEL
from sociolect.corpus.cleaning import import_corpus
from sociolect.settings.corpus import CorpusSettings

log = logging.getLogger("sociolect")


def main(job: Job[CorpusSettings]) -> None:
    """Write the cleaned corpus and its funnel."""
    corpus, funnel, notes = import_corpus(job.path("table"), job.options["split"], job.settings)
    for note in notes:
        log.warning("warning: %s: %s", job.path("table"), note)
    # its name as a digest: a table that is gone is known again, and no path of a machine is passed on
    job.write(corpus, "corpus", CORPUS, table=digest_of(str(job.path("table"))))
    job.write(funnel, "funnel", CORPUS_FUNNEL)


if __name__ == "__main__":
    run_program(main, __doc__, CorpusSettings, inputs=["table"], outputs=["corpus", "funnel"], options=["split"])
