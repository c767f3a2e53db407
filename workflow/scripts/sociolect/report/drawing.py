"""What all figures share: style, colors, files. The same tables give the same bytes: fixed ids, no dates."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import polars as pl
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

__all__ = [
    "BLUE",
    "GRAY",
    "GREEN",
    "ORANGE",
    "PALETTE",
    "SEQUENTIAL",
    "STYLE",
    "Picture",
    "cell_text",
    "finished",
    "heat_map",
    "legend_beside",
    "matrix_of",
    "number_points",
    "span_of",
    "svg_text",
    "write_pictures",
]

STYLE = {
    "svg.hashsalt": "sociolect",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    # names of groups and attributes are what they are, dollar signs included
    "text.parse_math": False,
}
# colors that those with color blindness tell apart (Okabe and Ito 2008), without yellow, which is lost on white
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
BLUE, ORANGE, GREEN, GRAY = PALETTE[0], PALETTE[1], PALETTE[2], "#7a838c"
SEQUENTIAL = "Blues"
_TITLE_WIDTH = 10.5  # characters per inch of width


@dataclass(frozen=True)
class Picture:
    """A figure that can be read alone.

    Attributes:
        name: of its files.
        title: what it shows, of what, and of how much; it stands in the figure itself.
        caption: how to read it, for the page.
        svg, pdf: the files.
        width: of the figure, in CSS pixels.
    """

    name: str
    title: str
    caption: str
    svg: str
    pdf: bytes
    width: int


def finished(figure: Figure, name: str, title: str, caption: str) -> Picture:
    """The figure with its title, as files.

    Args:
        figure: made inside `rc_context(STYLE)`, without a title, with a layout engine.
        name: of the files, without an ending.
        title: with what is counted, and n.
        caption: how to read it.
    """
    wide = int(figure.get_figwidth() * _TITLE_WIDTH)
    with rc_context(STYLE):  # type: ignore[arg-type]
        # a number stays beside its name
        lines = textwrap.wrap(title.replace(" = ", "\u00a0=\u00a0"), wide)
        figure.suptitle("\n".join(lines).replace("\u00a0", " "), fontsize=10, fontweight="bold")
        stream = io.BytesIO()
        FigureCanvasPdf(figure).print_pdf(stream, metadata={"CreationDate": None, "Creator": None, "Producer": None})
        return Picture(name, title, caption, svg_text(figure), stream.getvalue(), int(figure.get_figwidth() * 96))


def svg_text(figure: Figure) -> str:
    """The figure as SVG, without a date."""
    stream = io.StringIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def write_pictures(pictures: Sequence[Picture], folder: Path) -> None:
    """Each as <name>.svg and <name>.pdf."""
    for picture in pictures:
        (folder / f"{picture.name}.svg").write_text(picture.svg, encoding="utf-8")
        (folder / f"{picture.name}.pdf").write_bytes(picture.pdf)


def span_of(n: pl.Series) -> str:
    """Smallest and largest number of a column in words; one number where they are equal."""
    low, high = (f"{int(number):,}" for number in (n.min(), n.max()))  # type: ignore[arg-type]
    return low if low == high else f"{low} to {high}"


def legend_beside(axes: Axes, lines: Sequence[Line2D] | None = None) -> Legend:
    """The legend to the right of the axes, where it covers neither them nor the title.

    Args:
        axes: with lines that have labels.
        lines: those that it has; of itself matplotlib leaves out a label that begins with an underscore.
    """
    named = axes.get_legend_handles_labels()[0] if lines is None else lines
    where: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "frameon": False, "fontsize": 8}
    return axes.legend(named, [str(line.get_label()) for line in named], **where)


def number_points(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """Numbers 1, 2, ... beside points, each on the first side where it covers no point and no other number.

    To be called when all else is drawn: sides are chosen in the pixels of the figure as it lies then.
    """
    axes.get_figure().draw_without_rendering()  # type: ignore[union-attr]
    at = axes.transData.transform(np.asarray(points, dtype=float).reshape(-1, 2))
    scale = axes.get_figure().dpi / 72  # type: ignore[union-attr]
    taken = [(x, y, 3.5 * scale) for x, y in at]
    for number, (x, y) in enumerate(at, start=1):
        half = (3.2 if number > 9 else 2.2) * scale
        options = [
            (far * dx, far * dy)
            for far in (7.5, 13, 19)
            for dx, dy in ((1, 1), (-1, 1), (1, -1), (-1, -1), (1.2, 0), (-1.2, 0))
        ]
        free = [
            (dx, dy)
            for dx, dy in options
            if all(max(abs(x + dx * scale - a), abs(y + dy * scale - b)) > half + size for a, b, size in taken)
        ]
        dx, dy = (free or options)[0]
        taken.append((x + dx * scale, y + dy * scale, half))
        axes.annotate(
            str(number),
            points[number - 1],
            xytext=(dx, dy),
            textcoords="offset points",
            fontsize=7.5,
            ha="center",
            va="center",
        )


def matrix_of(triples: Sequence[tuple[str, str, float]], missing: float) -> tuple[np.ndarray, list[str]]:
    """A square matrix [N, N] of (row, column, value), and the names of its rows, sorted."""
    names = sorted({name for triple in triples for name in triple[:2]})
    number = {name: i for i, name in enumerate(names)}
    values = np.full((len(names), len(names)), missing)
    for row, column, value in triples:
        values[number[row], number[column]] = value
    return values, names


def heat_map(
    axes: Axes,
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    row_title: str,
    column_title: str,
    share: bool = False,
) -> None:
    """A matrix [R, C] with its numbers written in; `share` writes percentages on a scale from 0 to 1."""
    top = 1.0 if share else max(float(np.nanmax(values, initial=0.0)), 1e-12)
    axes.imshow(values, cmap=SEQUENTIAL, vmin=0, vmax=top)
    for i, j in zip(*np.nonzero(np.isfinite(values)), strict=True):
        text = f"{100 * values[i, j]:.0f}" if share else f"{values[i, j]:.2f}"
        cell_text(axes, float(j), float(i), text, values[i, j] / top)
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlabel(column_title)
    axes.set_ylabel(row_title)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def cell_text(axes: Axes, x: float, y: float, text: str, depth: float, cmap: str = SEQUENTIAL) -> None:
    """A word in a cell of a color map at `depth` in [0, 1], black or white, whichever can be read."""
    colors: Colormap = mpl.colormaps[cmap]
    red, green, blue, _ = colors(min(max(depth, 0.0), 1.0))
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
    axes.text(x, y, text, ha="center", va="center", fontsize=7.5, color="white" if dark else "black")
