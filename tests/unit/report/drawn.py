"""What can be read in a figure."""

from __future__ import annotations

import re


def labels(svg: str) -> list[str]:
    """Texts of a figure: they are drawn as paths, each after a comment that says what it is."""
    return re.findall(r"<!-- (.*?) -->", svg)
