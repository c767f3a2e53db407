"""Labelers by the name that `labeling.scorer` gives, each loaded from what its rule gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from sociolect.labels.buckets import Scorer
from sociolect.labels.scorers import Tag, load_cross_encoder, load_distilled, load_measured
from sociolect.settings.labels import LabelingSettings

__all__ = ["LABELERS", "Load", "load_scorer"]

# what it reads, CATALOGUE, settings, digest of the program's sources, and what tags texts that come without their rows
Load = Callable[[Path, pl.DataFrame, LabelingSettings, str, Tag | None], Scorer]


LABELERS: Mapping[str, Load] = {
    "cross_encoder": load_cross_encoder,
    "distilled": load_distilled,
    "measured": load_measured,
}


def load_scorer(
    path: Path, catalogue: pl.DataFrame, settings: LabelingSettings, code: str = "", tag: Tag | None = None
) -> Scorer:
    """The configured labeler.

    Args:
        path: the folder of SFAM or of its student, or the calibration's table.
        catalogue: CATALOGUE.
        settings: which of them it is, and how it works.
        code: digest of the program's sources.
        tag: tags texts that come without their rows, for measures.

    Raises:
        InputError: it is not whole, or was made for another catalogue.
    """
    return LABELERS[settings.scorer](path, catalogue, settings, code, tag)
