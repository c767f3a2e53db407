"""The describer that measures: which style attributes hold for an answer, by thresholds fitted on train."""

from __future__ import annotations

import numpy as np
import polars as pl

from sociolect.attributes.parsing import Said, parse_sentence
from sociolect.settings.attributes import DescriptionSettings
from sociolect.stylometry.stylometry import describe, fit_thresholds, measure_answers, sentence_of

__all__ = ["describe_by_measures"]


def describe_by_measures(
    chosen: pl.DataFrame, settings: DescriptionSettings, tagged: pl.DataFrame | None = None
) -> list[list[Said]]:
    """What stylometry says of each answer: (describer, sentence, attribute).

    Args:
        chosen: answer and part; thresholds are fitted on part train.
        settings: `quantile` of the train answers, above which an attribute is said.
        tagged: their rows of schema TAGGED, in the same order: attributes of syntax are said, too.
    """
    measured = measure_answers(chosen["answer"].to_list(), tagged)
    train = np.asarray(chosen["part"] == "train")
    thresholds = fit_thresholds(measured[train], settings.quantile)
    sentences = [[sentence_of(name) for name in names] for names in describe(measured, thresholds)]
    return [[("stylometry", s, parse_sentence(s)) for s in of_answer] for of_answer in sentences]
