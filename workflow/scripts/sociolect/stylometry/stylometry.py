"""The deterministic describer: style attributes by thresholds on measured rates, with no model and no GPU."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.errors import InputError
from sociolect.stylometry.curves import holds
from sociolect.stylometry.features import INDEX, MEASURES, measure_texts
from sociolect.stylometry.style_attributes import ATTRIBUTES, SYNTAX_ATTRIBUTES, StyleAttribute
from sociolect.syntax.measures import SYNTAX_MEASURES, measure_syntax

__all__ = [
    "ATTRIBUTES",
    "MEASURES",
    "SYNTAX_ATTRIBUTES",
    "StyleAttribute",
    "Thresholds",
    "attributes_for",
    "describe",
    "describe_matrix",
    "fit_thresholds",
    "log_rates",
    "measure_answers",
    "measure_index",
    "measure_names",
    "measure_texts",
    "sentence_of",
]

# A measure that at most this share of the training texts has at all counts as rare: presence is enough.
PRESENCE_SHARE = 0.5
# Texts, or what `measure_answers` measured of them.
Measured = Sequence[str] | np.ndarray


def measure_names(with_syntax: bool) -> tuple[str, ...]:
    """Names of the columns that `measure_answers` gives, with or without tagged answers."""
    return MEASURES + SYNTAX_MEASURES if with_syntax else MEASURES


def measure_index(with_syntax: bool) -> dict[str, int]:
    """Measure -> its column."""
    return {name: column for column, name in enumerate(measure_names(with_syntax))}


def attributes_for(with_syntax: bool) -> tuple[StyleAttribute, ...]:
    """The attributes that these measures decide, in the order of thresholds and of `describe_matrix`."""
    return ATTRIBUTES + SYNTAX_ATTRIBUTES if with_syntax else ATTRIBUTES


def measure_answers(texts: Sequence[str], tagged: pl.DataFrame | None = None) -> np.ndarray:
    """All style measures of answers, float64 [n, len(measure_names(tagged is not None))].

    Args:
        texts: answers.
        tagged: their rows of schema TAGGED, in the same order; None leaves the syntax out.

    Raises:
        InputError: as many rows as texts are needed.
    """
    measured = measure_texts(texts)
    if tagged is None:
        return measured
    if tagged.height != len(texts):
        raise InputError(f"{tagged.height} tagged answers for {len(texts)} texts; run tag_answers again")
    return np.column_stack([measured, measure_syntax(tagged)])


def log_rates(measured: np.ndarray) -> np.ndarray:
    """Measures as classifiers take them, log(1 + x) [n, measures]: rates are skewed, most texts have none."""
    return np.log1p(np.maximum(measured, 0.0))


def _measured(answers: Measured) -> tuple[np.ndarray, bool]:
    """Measures of texts or as given, and whether there is syntax among them."""
    measured = answers if isinstance(answers, np.ndarray) else measure_texts(answers)
    for with_syntax in (False, True):
        if measured.shape[1] == len(measure_names(with_syntax)):
            return measured, with_syntax
    raise InputError(f"{measured.shape[1]} measures are not those of this version; measure with measure_answers")


def _rates(measured: np.ndarray, attributes: Sequence[StyleAttribute], with_syntax: bool) -> np.ndarray:
    """The measure of each attribute [n, attributes]."""
    place = measure_index(with_syntax)
    return measured[:, [place[attribute.measure] for attribute in attributes]]


@dataclass(frozen=True)
class Thresholds:
    """One threshold per attribute, as `attributes_for` has them: where "high", value >= threshold; where "low", <=."""

    quantile: float
    names: tuple[str, ...]
    values: tuple[float, ...]
    directions: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "quantile": self.quantile,
            "attributes": [
                {"name": name, "value": value, "direction": direction}
                for name, value, direction in zip(self.names, self.values, self.directions, strict=True)
            ],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Thresholds:
        """The inverse of `to_dict`. Raises InputError where the attributes are not those of this version."""
        try:
            rows = content["attributes"]
            found = cls(
                float(content["quantile"]),
                tuple(str(row["name"]) for row in rows),
                tuple(float(row["value"]) for row in rows),
                tuple(str(row["direction"]) for row in rows),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"stylometry thresholds: cannot read {json.dumps(content, default=str)[:80]} ({error!r}); "
                "make them anew with fit_thresholds"
            ) from error
        _check_names(found)
        return found


def _check_names(thresholds: Thresholds) -> None:
    given = tuple(zip(thresholds.names, thresholds.directions, strict=True))
    known = [tuple((a.name, a.direction) for a in attributes_for(with_syntax)) for with_syntax in (False, True)]
    if given not in known:
        unlike = sorted(set(given) ^ set(min(known, key=lambda names: len(set(given) ^ set(names)))))[:3]
        raise InputError(
            f"stylometry thresholds: made for other attributes than this version's (such as {unlike}); "
            "make them anew with fit_thresholds"
        )


def _at_or_above(rates: np.ndarray, quantile: float) -> float:
    """The quantile, or the next value up where ties would give more than half of the texts the attribute."""
    value = float(np.quantile(rates, quantile, method="higher"))
    if float((rates >= value).mean()) <= PRESENCE_SHARE:
        return value
    above = rates[rates > value]
    return float(above.min()) if above.size else math.nextafter(value, math.inf)


def _high_threshold(rates: np.ndarray, quantile: float, strong: bool) -> float:
    present = rates[rates > 0.0]
    if strong and present.size:
        # A second degree must differ from mere presence: the middle of those that have it, at least.
        return max(_at_or_above(rates, (1.0 + quantile) / 2.0), float(np.median(present)))
    if present.size <= PRESENCE_SHARE * rates.size:
        return 0.0
    return _at_or_above(rates, quantile)


def fit_thresholds(train: Measured, quantile: float) -> Thresholds:
    """Thresholds from the training texts' quantiles.

    A "high" attribute's threshold is the `quantile` of its measure over the texts, a "low" one's the
    1 - `quantile`. Where at most half of the texts have the measure at all, its occurring is enough. Ties
    never give an attribute to more than half of the training texts.

    Args:
        train: answers of the train part only, or their measures.
        quantile: in [0.5, 1); about the share 1 - quantile of the texts gets a frequent attribute.

    Returns:
        Of the attributes of syntax, too, where the measures have it.

    Raises:
        InputError: fewer than two texts, or quantile out of bounds.
    """
    if not 0.5 <= quantile < 1.0:
        raise InputError(f"stylometry quantile: {quantile} is not in [0.5, 1); type for example 0.6")
    if len(train) < 2:
        raise InputError(f"stylometry thresholds: {len(train)} training texts; at least 2 are needed")
    measured, with_syntax = _measured(train)
    attributes = attributes_for(with_syntax)
    values = []
    for attribute, rates in zip(attributes, _rates(measured, attributes, with_syntax).T, strict=True):
        if attribute.direction == "low":
            values.append(-_at_or_above(-rates, quantile))
        else:
            values.append(_high_threshold(rates, quantile, attribute.level == "strong"))
    return Thresholds(
        float(quantile),
        tuple(attribute.name for attribute in attributes),
        tuple(values),
        tuple(attribute.direction for attribute in attributes),
    )


def describe_matrix(answers: Measured, thresholds: Thresholds) -> np.ndarray:
    """Which attributes hold, bool [n, len(thresholds.names)].

    A "high" attribute needs its measure to occur at all; a text without a word has no attribute.

    Args:
        answers: texts, or their measures.
        thresholds: from `fit_thresholds`, of the same measures.

    Raises:
        InputError: thresholds of another version's attributes, or of measures with syntax where there is none.
    """
    _check_names(thresholds)
    measured, with_syntax = _measured(answers)
    attributes = attributes_for(with_syntax)
    if len(attributes) != len(thresholds.names):
        raise InputError(
            "stylometry thresholds: fitted with syntax, used on answers without it, or the other way round; "
            "give measure_answers the tagged answers both times"
        )
    rates = _rates(measured, attributes, with_syntax)
    values = np.asarray(thresholds.values)
    low = np.array([direction == "low" for direction in thresholds.directions])
    has_words = measured[:, [INDEX["word_mean"]]] > 0.0
    return np.asarray(holds(rates, values, low) & has_words, dtype=bool)


def describe(answers: Measured, thresholds: Thresholds) -> list[list[str]]:
    """Names of the attributes that hold for each text, in the order of `attributes_for`."""
    matrix = describe_matrix(answers, thresholds)
    return [[thresholds.names[column] for column in np.flatnonzero(row)] for row in matrix]


def sentence_of(name: str) -> str:
    """The describer's raw sentence for an attribute name."""
    return f"The author uses {name}."
