"""The calibration of a run: the measure that each attribute of the catalogue rests on, and the curve between them.

Where the describer measures, style vectors can be had from the measures themselves, without a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from sociolect.attributes.parsing import parse_sentence
from sociolect.attributes.said import names_of
from sociolect.common.errors import InputError
from sociolect.common.schemas import CALIBRATION
from sociolect.stylometry.curves import Curve, fit_curve
from sociolect.stylometry.stylometry import ATTRIBUTES, Thresholds, attributes_for, sentence_of

__all__ = ["THRESHOLD", "Calibration", "calibration_table", "read_calibration"]

# what a calibrated probability is at the describer's threshold
THRESHOLD = 0.5


def calibration_table(
    measured: np.ndarray,
    index: Mapping[str, int],
    thresholds: Thresholds,
    sentences: pl.DataFrame,
    catalogue: pl.DataFrame,
) -> pl.DataFrame:
    """Curves of all attributes of the catalogue, as CALIBRATION.

    An attribute that near duplicates were merged into has a row of each of them: it holds where one of them does.

    Args:
        measured: measures of train answers [n, measures].
        index: measure -> its column.
        thresholds: the describer's, with syntax or without it, as the measures.
        sentences: SENTENCES, what the describer said.
        catalogue: CATALOGUE.

    Raises:
        InputError: an attribute is none that the describer measures.
    """
    of_name = dict(names_of(sentences, catalogue).select("attribute", "attribute_id").iter_rows())
    rows: list[tuple[str, str, str, str, float, list[float], list[float]]] = []
    attributes = attributes_for(len(thresholds.names) > len(ATTRIBUTES))
    for attribute, threshold in zip(attributes, thresholds.values, strict=True):
        attribute_id = of_name.get(parse_sentence(sentence_of(attribute.name)))
        if attribute_id is None:
            continue
        low = attribute.direction == "low"
        curve = fit_curve(measured[:, index[attribute.measure]], threshold, low)
        where = (attribute_id, attribute.name, attribute.measure, attribute.direction, threshold)
        rows.append((*where, curve.x.tolist(), curve.p.tolist()))
    found = {row[0] for row in rows}
    for attribute_id, name in catalogue.select("attribute_id", "attribute").iter_rows():
        if attribute_id not in found:
            raise InputError(
                f"the catalogue's attribute {name!r} is none that stylometry measures; delete attributes/ of the run "
                "and describe its answers anew, with description.describer: stylometry"
            )
    return CALIBRATION.frame(rows).sort("attribute_id", "name")


@dataclass(frozen=True)
class Calibration:
    """Curves by attribute: `parts[i]` is the column of curve i in a style vector, `measures[i]` what it reads."""

    n_attributes: int
    parts: tuple[int, ...]
    measures: tuple[str, ...]
    curves: tuple[Curve, ...]

    def style_vectors(self, measured: np.ndarray, index: Mapping[str, int]) -> np.ndarray:
        """Probabilities of the attributes, float32 [n, K]; 0 for a text without a word.

        Args:
            measured: [n, measures].
            index: measure -> its column.

        Raises:
            InputError: a measure is not among them.
        """
        style = np.zeros((len(measured), self.n_attributes), dtype=np.float32)
        for part, measure, curve in zip(self.parts, self.measures, self.curves, strict=True):
            if measure not in index:
                raise InputError(
                    f"the calibration reads measure {measure!r}, which is not measured here: give the tagged answers, "
                    "or set syntax.tagger: none and calibrate anew"
                )
            style[:, part] = np.maximum(style[:, part], curve.probabilities(measured[:, index[measure]]))
        style[measured[:, index["word_mean"]] == 0.0] = 0.0
        return style


def read_calibration(table: pl.DataFrame, attribute_ids: Sequence[str]) -> Calibration:
    """The calibration of a table of schema CALIBRATION for the attributes of a catalogue.

    Raises:
        InputError: it was made for another catalogue.
    """
    if set(table["attribute_id"]) != set(attribute_ids):
        raise InputError("the calibration was made for another catalogue; run calibrate_measures again")
    number = {attribute_id: i for i, attribute_id in enumerate(attribute_ids)}
    curves = [
        Curve(row["direction"] == "low", row["threshold"], np.array(row["knots"]), np.array(row["probabilities"]))
        for row in table.iter_rows(named=True)
    ]
    parts = tuple(number[attribute_id] for attribute_id in table["attribute_id"])
    return Calibration(len(attribute_ids), parts, tuple(table["measure"]), tuple(curves))
