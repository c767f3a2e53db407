"""What a group's steering vector is made of."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import polars as pl
from matplotlib import rc_context
from matplotlib.figure import Figure

from sociolect.report.drawing import BLUE, ORANGE, STYLE, Picture, finished

__all__ = ["weighted_method", "weights_plot"]

_COLUMNS = 2
_BARS = 8
_LIGHT = 0.001  # weights that no bar could show
_WIDE = 34  # characters of an attribute in a line


def weighted_method(weights: Mapping[str, Any], chosen: str | None) -> str | None:
    """The method whose weights are shown: the chosen one where it has any, else that of most groups; None without."""
    methods = [method for own in weights.get("groups", {}).values() for method in own]
    if not methods:
        return None
    return chosen if chosen in methods else max(dict.fromkeys(methods), key=methods.count)


def weights_plot(weights: Mapping[str, Any], groups: pl.DataFrame, chosen: str | None, name: str) -> Picture | None:
    """The heaviest attributes of each group's steering vector, a panel per group; None where none is weighted.

    Args:
        weights: of `steering/<experiment>.weights.json`.
        groups: GROUPS, with the distinctive attributes.
        chosen: method that the table uses.
        name: of the experiment.
    """
    method = weighted_method(weights, chosen)
    shown = {group: own[method] for group, own in sorted(weights.get("groups", {}).items()) if method in own}
    if not shown:
        return None
    own_ids = dict(groups.select("group", "distinctive").iter_rows())
    bars = min(_BARS, max(len(parts["heaviest"]) for parts in shown.values()))
    lines = -(-len(shown) // _COLUMNS)
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(9.6, 0.9 + lines * (0.75 + 0.23 * bars)), layout="constrained")
        panels = list(figure.subplots(lines, _COLUMNS, squeeze=False, sharex=True).flat)
        for axes, (group, parts) in zip(panels, shown.items(), strict=False):
            heaviest = [one for one in parts["heaviest"][:bars] if one["weight"] >= _LIGHT]
            distinct = set(own_ids.get(group, []))
            colors = [ORANGE if one["attribute_id"] in distinct else BLUE for one in heaviest]
            axes.barh(range(len(heaviest)), [one["weight"] for one in heaviest], 0.7, color=colors)
            axes.set_yticks(range(len(heaviest)), [_short(one["attribute"]) for one in heaviest], fontsize=8)
            axes.set_ylim(bars - 0.5, -0.5)
            axes.set_title(f"{group}: {parts['n_eff']:.1f} effective attributes", loc="left")
            axes.tick_params(labelbottom=True)
        for axes in panels[len(shown) :]:
            axes.set_axis_off()
        figure.supxlabel("weight (all weights of a group add up to 1)", fontsize=9)
        unseen = sorted(set(groups["group"]) - set(shown))
        title = f"What each group's steering vector is made of, {name}, method {method} (n = {len(shown)} groups)"
        caption = (
            f"The heaviest attributes of each group, at most {bars}. Orange: distinctive, no other group uses "
            "them as often. Effective attributes: 1 / sum of the squared weights."
            + (f" Without weights by this method: {', '.join(unseen)}." if unseen else "")
        )
        return finished(figure, f"{name}-weights", title, caption)


def _short(attribute: str) -> str:
    return textwrap.shorten(attribute, _WIDE, placeholder=" ...")
