"""Print which folder of the library imports which; rooms, arrows, arrows up and circles are counted."""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = "sociolect"
ORDER = re.compile(r"<!-- order of imports -->\n```\n(.+?)\n```", re.DOTALL)
Arrows = dict[tuple[str, str], list[str]]


def read_order(contributing: Path) -> list[str]:
    """Folders of the library from the ground up, as CONTRIBUTING.md has them: each imports only those before it."""
    found = ORDER.search(contributing.read_text(encoding="utf-8"))
    return found[1].split() if found else []


def import_arrows(library: Path) -> tuple[list[str], Arrows]:
    """Rooms (folders and loose modules of the library), and (importer, imported) with the imports themselves."""
    rooms = sorted({room_of(file, library) for file in library.rglob("*.py") if file != library / "__init__.py"})
    arrows: Arrows = {}
    for file in sorted(library.rglob("*.py")):
        own = room_of(file, library)
        for module in imported_modules(file):
            other = room_of(library.joinpath(*module.split(".")[1:]), library)
            if other in rooms and other != own:
                arrows.setdefault((own, other), []).append(f"{file.relative_to(library)} -> {module}")
    return rooms, arrows


def room_of(path: Path, library: Path) -> str:
    return path.relative_to(library).parts[0].removesuffix(".py")


def imported_modules(file: Path) -> list[str]:
    """Modules of the package that a file imports, also inside functions."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.startswith(f"{PACKAGE}.")]
        elif isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            found += [f"{PACKAGE}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            found.append(str(node.module))
    return found


def arrows_up(arrows: Arrows, order: Sequence[str]) -> list[str]:
    """Imports of a folder that stands later in the order, or in none."""
    place = {room: i for i, room in enumerate(order)}
    late = len(order)
    return [line for (a, b), lines in sorted(arrows.items()) for line in lines if place.get(b, late) >= place.get(a, 0)]


def circle(arrows: Arrows) -> list[str]:
    """Rooms that import each other in a circle; empty where there is none."""
    graph: Mapping[str, set[str]] = {a: {y for x, y in arrows if x == a} for a, _ in arrows}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(room) for room in error.args[1]]
    return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("."), help="a checkout of the project, also an older one")
    root = parser.parse_args().root
    rooms, arrows = import_arrows(root / "workflow" / "scripts" / PACKAGE)
    contributing = root / "CONTRIBUTING.md"
    order = read_order(contributing) if contributing.is_file() else []
    for room in reversed(order) if order else rooms:
        print(f"{room}: {', '.join(sorted(b for a, b in arrows if a == room)) or '-'}")
    up = arrows_up(arrows, order) if order else []
    loop = circle(arrows)
    for line in [*(f"up: {line}" for line in up), *([f"circle: {' -> '.join(loop)}"] if loop else [])]:
        print(line)
    known = f"{len(up)} arrows up, " if order else "no order is written down, "
    print(f"{len(rooms)} rooms, {len(arrows)} arrows, {known}{'1 circle' if loop else 'no circle'}")
    sys.exit(bool(up or loop))


if __name__ == "__main__":
    main()
