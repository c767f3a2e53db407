"""All that is wrong with a run before it starts: its config, and what the config names. One list, a line each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from sociolect.preflight.file_faults import disk_faults, model_faults, package_faults, prompt_faults, server_faults
from sociolect.preflight.table_faults import table_faults
from sociolect.settings.config import Config, settle_config
from sociolect.settings.faults import Fault, shown_faults

__all__ = ["run_faults"]


def run_faults(
    values: dict[str, Any],
    where: str,
    files: Sequence[Path],
    project: Path,
    packages: bool = True,
    tables: Collection[str] | None = None,
    ask_server: bool = False,
) -> tuple[Config | None, list[str]]:
    """The config, where nothing is wrong with it, and a line for each fault of the run.

    Args:
        values: the keys.
        where: what to call the config where no file has the key.
        files: the config files that they come from, the last of which wins.
        project: folder of the project, in which the environments lie; paths of the config are relative to the
            working folder.
        packages: whether the run's programs use the environments of the project.
        tables: splits whose tables are read, and no more is said of groups; of the others only that they are there is
            looked at. None: all, as where something else is wrong.
        ask_server: whether the server that describes is asked for a word.
    """
    config, faults = settle_config(values)
    if config is not None:
        wrong = [fault.names for fault in faults]
        found = [*_of_files(config, project, packages), *server_faults(config, ask_server)]
        # one list of all: what ends a start anyway is no reason to leave tables unread
        found += table_faults(config, None if faults or found else tables)
        # what is left of a faulty key is its default, of which nothing is to be said
        faults += [fault for fault in found if not _touches(fault.names, wrong)]
    return (None if faults else config), shown_faults(faults, where, files)


def _of_files(config: Config, project: Path, packages: bool) -> list[Fault]:
    installed = package_faults(config, project) if packages else ()
    return [*installed, *prompt_faults(config), *model_faults(config), *disk_faults(config)]


def _touches(names: tuple[str, ...], wrong: Sequence[tuple[str, ...]]) -> bool:
    return any(names[: len(other)] == other or other[: len(names)] == names for other in wrong if names)
