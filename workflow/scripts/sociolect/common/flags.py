"""The flags that a program declares, read without running it: a rule's command is made of them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Flags", "declared_flags", "flag_of"]


@dataclass(frozen=True)
class Flags:
    """Names of a program's inputs, outputs and options, in its order; and whether it draws from the run's seed."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: tuple[str, ...]
    seeded: bool


def flag_of(name: str) -> str:
    """The flag of a named input, output or option; the marks `*` and `?` behind a name say how many paths it takes."""
    return "--" + name.rstrip("*?").replace("_", "-")


@cache
def declared_flags(program: Path) -> Flags:
    """What the program's call of `run_program` declares.

    Raises:
        LookupError: there is no such call, or a declaration in it is no literal.
    """
    tree = ast.parse(program.read_text(encoding="utf-8"), filename=str(program))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "run_program"]
    if len(calls) != 1:
        raise LookupError(f"{program}: {len(calls)} calls of run_program, there must be one")
    if len(calls[0].args) > 3 or any(word.arg is None for word in calls[0].keywords):
        raise LookupError(f"{program}: name inputs, outputs and options in the call of run_program, one keyword each")
    given: dict[str, ast.expr] = {word.arg: word.value for word in calls[0].keywords if word.arg is not None}
    found: dict[str, tuple[str, ...]] = {}
    try:
        for kind in ("inputs", "outputs", "options"):
            names = ast.literal_eval(given[kind]) if kind in given else []
            found[kind] = tuple(name.rstrip("*?") for name in names)
        seeded = bool(ast.literal_eval(given["seeded"])) if "seeded" in given else False
    except ValueError as error:
        raise LookupError(f"{program}: write the names in the call of run_program itself ({error})") from error
    return Flags(**found, seeded=seeded)
