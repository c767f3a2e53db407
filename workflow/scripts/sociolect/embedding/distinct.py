"""Whether the groups have attributes of their own at all."""

from __future__ import annotations

import polars as pl

__all__ = ["few_distinctive"]

# more groups than this share without a distinctive attribute are worth a warning
MANY = 1 / 3


def few_distinctive(groups: pl.DataFrame) -> str | None:
    """A warning where many groups have no distinctive attribute; else None.

    Args:
        groups: GROUPS.
    """
    without = groups.filter(pl.col("distinctive").list.len() == 0)["group"].sort().to_list()
    if len(without) <= MANY * groups.height:
        return None
    return (
        f"{len(without)} of {groups.height} groups have no distinctive attribute ({', '.join(without)}): the style "
        "scores hardly tell them from the others. Train SFAM for longer (sfam.max_steps), set labeling.scorer: "
        "measured where the describer is stylometry, or lower profiles.min_gap."
    )
