"""What a new run is made of: its name, its base, its tables and how it scores; asked where no flag says it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.prompt import Prompt

from sociolect.common.errors import InputError

__all__ = ["BASES", "SCORERS", "RunChoices", "choose"]

# base -> what it takes and gives
BASES: Mapping[str, str] = {
    "laptop": "a pretrained language model of 270 M parameters, from the package index; two cores, no GPU",
    "quick": "a first look at the whole chain: minutes on two cores, no network; its model is no use but for that",
    "scratch": "all models trained on your texts alone; two cores, no GPU, no network",
    "one-gpu": "models of the hub of up to 2 B parameters; one GPU",
    "config": "models of the hub of 8 B parameters; a cluster with GPUs",
}
SCORERS: Mapping[str, str] = {
    "cross_encoder": "SFAM, trained first: half an hour on two cores where it is trained from scratch",
    "measured": "measures of style, no SFAM: minutes",
    "distilled": "a student of SFAM",
}
_ASKED = ("measured", "cross_encoder")


@dataclass(frozen=True)
class RunChoices:
    """A new run.

    Args:
        run: its name.
        base: of BASES.
        data: folder of its tables.
        scorer: of SCORERS; empty for that of the base.
    """

    run: str
    base: str
    data: Path
    scorer: str


def choose(run: str, base: str, data: str, scorer: str, asks: bool, folder: Path) -> RunChoices:
    """The choices of the flags, empty where not given; a call without a name is asked for all that is missing.

    Args:
        run, base, data, scorer: the flags.
        asks: whether there is a terminal to ask on.
        folder: of the configs, where a new one must not be there yet.

    Raises:
        InputError: a name that is none or is taken, or no name and nobody to ask or no answer.
    """
    if run or not asks:
        _check_name(run, folder)
        return RunChoices(run, base or "laptop", Path(data or "data"), scorer)
    try:
        return _asked(base, data, scorer, folder)
    except (EOFError, KeyboardInterrupt):
        print()
        raise InputError("no answer; nothing is written") from None


def _asked(base: str, data: str, scorer: str, folder: Path) -> RunChoices:
    console = Console()
    run = _ask(console, "name of the run", "mine", lambda name: _check_name(name, folder))
    data = data or _ask(console, "folder of the tables", "data", _check_folder)
    base = base or _chosen(console, "base", BASES, tuple(BASES))
    if not scorer and base in ("laptop", "scratch"):
        scorer = _chosen(console, "scorer of style", SCORERS, _ASKED)
    return RunChoices(run, base, Path(data), scorer)


def _chosen(console: Console, what: str, about: Mapping[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        console.print(f"  {name}: {about[name]}", highlight=False, markup=False)
    return Prompt.ask(what, console=console, choices=list(names), default=names[0])


def _ask(console: Console, what: str, default: str, check: Callable[[str], None]) -> str:
    """An answer that passes its check; one that does not is asked for again."""
    while True:
        said = Prompt.ask(what, console=console, default=default)
        try:
            check(said)
        except InputError as error:
            console.print(str(error), highlight=False, markup=False)
        else:
            return said


def _check_name(run: str, folder: Path) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", run):
        raise InputError(f"run {run!r}: write a letter, then letters, digits, _ and -: make new RUN=mine")
    if (path := folder / f"{run}.yaml").exists():
        raise InputError(f"{path}: there already; take another name, or remove it")


def _check_folder(folder: str) -> None:
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; tables of a dump are made by make import")
