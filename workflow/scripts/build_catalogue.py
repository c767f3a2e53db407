"""Build the catalogue of style attributes from what was said of the train answers, with a funnel of rejections."""

from __future__ import annotations

import logging

from sociolect.attributes.catalogue import build_catalogue
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, CATALOGUE_FUNNEL, SENTENCES
from sociolect.settings.attributes import CatalogueSettings

log = logging.getLogger("sociolect")


def main(job: Job[CatalogueSettings]) -> None:
    """Write catalogue and funnel."""
    catalogue, funnel = build_catalogue(job.read("sentences", SENTENCES), job.settings)
    for row in funnel.iter_rows(named=True):
        log.info("%(rule)s: %(n_rejected)d rejected, %(n_left)d left, such as %(example)s", row)
    job.write(catalogue, "catalogue", CATALOGUE)
    job.write(funnel, "funnel", CATALOGUE_FUNNEL)


if __name__ == "__main__":
    run_program(main, __doc__, CatalogueSettings, inputs=["sentences"], outputs=["catalogue", "funnel"])
