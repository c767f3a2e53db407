"""The pairs of a run as arrays: positions in the lists of answers and attributes instead of ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sociolect.common.errors import InputError


@dataclass(frozen=True)
class PairArrays:
    """Pairs by index: answer, attribute, label (int8), slice, part (text) and held_out (bool), each [n].

    `target` is what the model is trained towards, a probability; None where it is the label of every pair.
    """

    answer: np.ndarray
    attribute: np.ndarray
    label: np.ndarray
    kind: np.ndarray
    part: np.ndarray
    held_out: np.ndarray
    target: np.ndarray | None = None

    def where(self, mask: np.ndarray) -> PairArrays:
        """The pairs of a mask or an index."""
        return PairArrays(
            self.answer[mask],
            self.attribute[mask],
            self.label[mask],
            self.kind[mask],
            self.part[mask],
            self.held_out[mask],
            None if self.target is None else self.target[mask],
        )

    def __len__(self) -> int:
        return len(self.label)


def index_pairs(pairs: pl.DataFrame, answer_ids: list[str], attribute_ids: list[str]) -> PairArrays:
    """Replace ids by positions in the two lists.

    Raises:
        InputError: a pair names an answer or an attribute that is not in the lists.
    """
    columns = []
    for name, ids in (("answer_id", answer_ids), ("attribute_id", attribute_ids)):
        known = pl.DataFrame({name: ids, "index": np.arange(len(ids))}, schema_overrides={name: pl.String})
        joined = pairs.select(name).join(known, on=name, how="left", maintain_order="left")
        if joined["index"].null_count():
            unknown = joined.filter(pl.col("index").is_null())[name][0]
            raise InputError(
                f"pairs: {name} {unknown!r} is unknown; rebuild the pairs from these answers and catalogue"
            )
        columns.append(joined["index"].to_numpy())
    label, kind, part, held_out, target = (
        pairs[n].to_numpy() for n in ("label", "slice", "part", "held_out", "target")
    )
    graded = None if np.array_equal(target, label) else target
    return PairArrays(columns[0], columns[1], label, kind, part, held_out, graded)
