"""Tag answers (or generations) with spaCy: parts of speech, dependencies, and words for POSNoise."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import polars as pl

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import TAGGED
from sociolect.labels.buckets import iter_texts
from sociolect.settings.syntax import SyntaxSettings
from sociolect.syntax.tagging import open_tagger, tag_buckets


def main(job: Job[SyntaxSettings]) -> None:
    settings, options = job.settings, job.options
    texts = pl.concat(iter_texts(job.path("answers"), options["id_column"], options["text_column"]))
    job.stage("tagger", answers=texts.height)
    tagger = open_tagger(settings.tagger)
    late: dict[str, Any] = {}
    with job.writer("tagged", TAGGED, late) as write:
        counts = tag_buckets(Path(options["cache"]), texts, settings.buckets, tagger, write, job.progress("answers"))
        late |= {"n_cut": counts.n_cut, "n_empty": counts.n_empty}
    logging.getLogger("sociolect").info("tagged %d of %d answers", counts.n_tagged, texts.height)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        SyntaxSettings,
        inputs=["answers"],
        outputs=["tagged"],
        options=["id_column", "text_column", "cache"],
    )
