"""All that is wrong with a run before it starts: its config, and what the config names. One list, a line each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from sociolect.common.errors import InputError
from sociolect.preflight.file_faults import disk_faults, model_faults, package_faults, prompt_faults
from sociolect.preflight.table_faults import table_faults
from sociolect.settings.config import Config, settle_config
from sociolect.settings.faults import Fault, shown_faults

__all__ = ["check_run", "run_faults"]


def run_faults(
    values: dict[str, Any],
    where: str,
    files: Sequence[Path],
    project: Path,
    packages: bool = True,
    tables: Collection[str] | None = None,
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
            looked at. None: all.
    """
    config, faults = settle_config(values)
    if config is not None:
        wrong = [fault.names for fault in faults]
        # what is left of a faulty key is its default, of which nothing is to be said
        faults += [
            found for found in _of_the_machine(config, project, packages, tables) if not _touches(found.names, wrong)
        ]
    return (None if faults else config), shown_faults(faults, where, files)


def check_run(
    values: dict[str, Any],
    where: str,
    files: Sequence[Path],
    project: Path,
    packages: bool = True,
    tables: Collection[str] | None = None,
) -> Config:
    """The config of a run that nothing is wrong with; see `run_faults`. Where something is, tables are read as well.

    Raises:
        InputError: a line for each fault.
    """
    config, lines = run_faults(values, where, files, project, packages, tables)
    if config is None:
        _, lines = run_faults(values, where, files, project, packages)
        raise InputError("\n".join(lines))
    return config


def _of_the_machine(config: Config, project: Path, packages: bool, tables: Collection[str] | None) -> Iterator[Fault]:
    if packages:
        yield from package_faults(config, project)
    yield from prompt_faults(config)
    yield from model_faults(config)
    yield from disk_faults(config)
    yield from table_faults(config, tables)


def _touches(names: tuple[str, ...], wrong: Sequence[tuple[str, ...]]) -> bool:
    return any(names[: len(other)] == other or other[: len(names)] == names for other in wrong if names)
