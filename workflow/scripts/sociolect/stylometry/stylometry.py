"""The deterministic describer: style attributes by thresholds on measured rates, with no model and no GPU."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sociolect.common.errors import InputError
from sociolect.stylometry.curves import holds
from sociolect.stylometry.features import INDEX, MEASURES, measure_texts
from sociolect.stylometry.style_attributes import ATTRIBUTES, StyleAttribute

__all__ = [
    "ATTRIBUTES",
    "MEASURES",
    "StyleAttribute",
    "Thresholds",
    "describe",
    "describe_matrix",
    "fit_thresholds",
    "measure_texts",
    "sentence_of",
]

# A measure that at most this share of the training texts has at all counts as rare: presence is enough.
PRESENCE_SHARE = 0.5
_COLUMNS = [INDEX[attribute.measure] for attribute in ATTRIBUTES]


@dataclass(frozen=True)
class Thresholds:
    """One threshold per attribute, in ATTRIBUTES order: where "high", value >= threshold; where "low", <=."""

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
    known = tuple((attribute.name, attribute.direction) for attribute in ATTRIBUTES)
    given = tuple(zip(thresholds.names, thresholds.directions, strict=True))
    if given != known:
        unlike = sorted(set(given) ^ set(known))[:3]
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


def fit_thresholds(texts_train: Sequence[str], quantile: float) -> Thresholds:
    """Thresholds from the training texts' quantiles.

    A "high" attribute's threshold is the `quantile` of its measure over the texts, a "low" one's the
    1 - `quantile`. Where at most half of the texts have the measure at all, its occurring is enough. Ties
    never give an attribute to more than half of the training texts.

    Args:
        texts_train: answers of the train part only.
        quantile: in [0.5, 1); about the share 1 - quantile of the texts gets a frequent attribute.

    Raises:
        InputError: fewer than two texts, or quantile out of bounds.
    """
    if not 0.5 <= quantile < 1.0:
        raise InputError(f"stylometry quantile: {quantile} is not in [0.5, 1); type for example 0.6")
    if len(texts_train) < 2:
        raise InputError(f"stylometry thresholds: {len(texts_train)} training texts; at least 2 are needed")
    measured = measure_texts(texts_train)
    values = []
    for attribute, column in zip(ATTRIBUTES, _COLUMNS, strict=True):
        rates = measured[:, column]
        if attribute.direction == "low":
            values.append(-_at_or_above(-rates, quantile))
        else:
            values.append(_high_threshold(rates, quantile, attribute.level == "strong"))
    return Thresholds(
        float(quantile),
        tuple(attribute.name for attribute in ATTRIBUTES),
        tuple(values),
        tuple(attribute.direction for attribute in ATTRIBUTES),
    )


def describe_matrix(texts: Sequence[str], thresholds: Thresholds) -> np.ndarray:
    """Which attributes hold, bool [n, len(ATTRIBUTES)].

    A "high" attribute needs its measure to occur at all; a text without a word has no attribute.

    Raises:
        InputError: thresholds of another version's attributes.
    """
    _check_names(thresholds)
    measured = measure_texts(texts)
    rates = measured[:, _COLUMNS]
    values = np.asarray(thresholds.values)
    low = np.array([direction == "low" for direction in thresholds.directions])
    has_words = measured[:, [INDEX["word_mean"]]] > 0.0
    return np.asarray(holds(rates, values, low) & has_words, dtype=bool)


def describe(texts: Sequence[str], thresholds: Thresholds) -> list[list[str]]:
    """Names of the attributes that hold for each text, in ATTRIBUTES order."""
    matrix = describe_matrix(texts, thresholds)
    return [[ATTRIBUTES[column].name for column in np.flatnonzero(row)] for row in matrix]


def sentence_of(name: str) -> str:
    """The describer's raw sentence for an attribute name."""
    return f"The author uses {name}."
