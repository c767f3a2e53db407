"""What the tables of topic and stability say, in plain sentences."""

from __future__ import annotations

import polars as pl

__all__ = ["needed", "stability_sentences", "topic_sentences"]


def topic_sentences(table: pl.DataFrame) -> list[str]:
    """What TOPIC says of each model, one plain sentence each."""
    said = []
    for row in table.filter(pl.col("kind") == "model").iter_rows(named=True):
        if row["kept"] is None:
            said.append(f"{row['model']}: what it keeps on unseen topics is not known: {row['note']}.")
            continue
        interval = "" if row["kept_low"] is None else f" [{row['kept_low']:.2f}, {row['kept_high']:.2f}]"
        doubt = ": it may be topic" if row["may_be_topic"] else ""
        said.append(
            f"{row['model']} keeps {row['kept']:.2f}{interval} of its accuracy above chance on unseen topics{doubt}."
        )
    return [*said, *_power(table)]


def _power(table: pl.DataFrame) -> list[str]:
    """How far the clusters hold topic still: what the questions alone tell on unseen ones."""
    row = next(table.filter(pl.col("model") == "question").iter_rows(named=True), None)
    if row is None or row["unseen"] is None:
        return []
    if row["kept"] is None:
        low, high = row["plain_low"], row["plain_high"]
        span = f"{row['plain']:.2f}" + ("" if low is None else f" [{low:.2f}, {high:.2f}]")
        return [f"The questions alone are not shown to tell the groups ({span}): how much topic there is is not known."]
    known = f"The questions alone tell the groups to {row['plain']:.2f}, on unseen topics to {row['unseen']:.2f}"
    if row["kept"] > 0.5:
        return [f"{known}: these topics have much in common, and the shares above hold topic still only in part."]
    return [f"{known}: so far do these shares hold topic still."]


def needed(table: pl.DataFrame, statistic: str, unit: str, group: str | None = None) -> tuple[int | None, int]:
    """Smallest size drawn whose mean ratio is within bounds (None: more than there are), and the largest size drawn."""
    rows = table.filter(
        pl.col("statistic") == statistic, pl.col("unit") == unit, pl.col("group").eq_missing(pl.lit(group))
    ).sort("size")
    if group is None:
        # the bootstrap of all groups draws as many as each has
        rows = rows.filter(~pl.col("whole"))
    enough = rows.filter("within")["size"]
    return (int(enough[0]) if len(enough) else None), int(rows["size"][-1])


def stability_sentences(table: pl.DataFrame, within: float) -> list[str]:
    """How many authors and answers a group needs by each statistic, one plain sentence each."""
    said = []
    for statistic in table["statistic"].unique(maintain_order=True):
        parts = []
        for unit in table["unit"].unique(maintain_order=True):
            size, most = needed(table, statistic, unit)
            parts.append(f"{size} {unit}" if size is not None else f"more than {most} {unit}")
        words = statistic.replace("_", " ")
        said.append(
            f"By {words}, a group needs {' or '.join(parts)} for its embedding to lie within {within:g} of the "
            "distance to the next group's."
        )
    return said
