"""The tagger, timed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sociolect.estimate.probing import TAGGING, Timed, time_rounds
from sociolect.settings.estimate import ProbeJob
from sociolect.syntax.tagging import open_tagger, tag_texts

__all__ = ["probe_tagger"]


def probe_tagger(settings: ProbeJob, texts: Sequence[str]) -> Iterator[tuple[str, str, Timed]]:
    """Answers tagged one after the other, as `tag_answers` does on one thread."""
    tagger = open_tagger(settings.syntax.tagger)

    def run(n: int) -> int:
        return tag_texts(texts[:n], tagger).height

    yield TAGGING, "answer", time_rounds(run, len(texts), settings.estimate.seconds)
