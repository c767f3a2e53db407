"""How every program runs: flags, start line, stages, heartbeat, progress, one last error line.

A program declares its named inputs, outputs and settings, and gets a `Job`. It reads nothing from the
environment or the config file.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

import polars as pl
from pydantic import BaseModel, ValidationError

from sociolect.common.artifacts import Schema, read_table, table_writer, write_table
from sociolect.common.digests import digest_of, file_digest
from sociolect.common.errors import InputError
from sociolect.common.files import write_json
from sociolect.common.flags import flag_of
from sociolect.common.heartbeat import read_beat, write_beat
from sociolect.common.progress import Progress
from sociolect.common.seeds import seed_of

__all__ = ["InputError", "Job", "Progress", "run_program", "use_threads"]

S = TypeVar("S", bound=BaseModel)
PACKAGES = ("torch", "transformers", "polars", "numpy", "scikit-learn", "optuna", "pytorch-metric-learning")
log = logging.getLogger("sociolect")


@dataclass
class Job(Generic[S]):
    """What a program works with: checked settings, named paths, seed and provenance."""

    program: str
    settings: S
    inputs: dict[str, list[Path]]
    outputs: dict[str, Path]
    options: dict[str, str]
    run_seed: int
    threads: int
    code: str
    heartbeat: Path | None
    settings_digest: str = ""
    seeded: bool = True

    def path(self, name: str) -> Path:
        """The one path given as input `name`."""
        (path,) = self.inputs[name]
        return path

    def path_if_given(self, name: str) -> Path | None:
        """The path given as the optional input `name`; None where there is none."""
        return next(iter(self.inputs[name]), None)

    def read(self, name: str, schema: Schema) -> pl.DataFrame:
        """Read input `name`; several files are stacked in the order given."""
        return pl.concat([read_table(path, schema) for path in self.inputs[name]])

    def read_by(self, option: str, name: str, schema: Schema) -> dict[str, pl.DataFrame]:
        """Read input `name`, one file for each of the names that the option lists, separated by commas.

        Raises:
            InputError: a name is there twice, or there are more or fewer files than names.
        """
        names, paths = self.options[option].split(","), self.inputs[name]
        if len(set(names)) != len(paths) or len(names) != len(paths):
            raise InputError(
                f"{flag_of(option)} {','.join(names)} and {len(paths)} {flag_of(name)} files: "
                f"name each file's {option.removesuffix('s')} once, in the same order"
            )
        return {key: read_table(path, schema) for key, path in zip(names, paths, strict=True)}

    def write(self, frame: pl.DataFrame, name: str, schema: Schema, **extra: Any) -> None:
        """Write output `name` with this job's provenance."""
        write_table(frame, self.outputs[name], schema, self.provenance() | extra)
        log.info("wrote %s: %d rows", self.outputs[name], frame.height)

    @contextmanager
    def writer(self, name: str, schema: Schema, late: dict[str, Any]) -> Iterator[Callable[[pl.DataFrame], None]]:
        """Write output `name` frame by frame, with this job's provenance; `late` may be filled on the way."""
        with table_writer(self.outputs[name], schema, self.provenance(), late) as write:
            yield write
        log.info("wrote %s", self.outputs[name])

    def write_json(self, value: object, name: str) -> None:
        """Write output `name` as JSON."""
        write_json(value, self.outputs[name])

    def seed(self, *names: object) -> int:
        """Seed for one purpose of this program."""
        return seed_of(self.run_seed, self.program, *names)

    def stage(self, name: str, **state: Any) -> None:
        """Say which stage is reached (imports, device, model, first batch ...)."""
        log.info("stage: %s", name)
        Progress(name, self.heartbeat).beat(**state)

    def progress(self, name: str) -> Progress:
        """A progress reporter that writes to this job's log and heartbeat; its first batch is a stage of its own."""
        Progress(f"first batch of {name}", self.heartbeat).beat()
        return Progress(name, self.heartbeat)

    def provenance(self) -> dict[str, Any]:
        """Settings, source digest, seed (None where nothing is drawn), versions, inputs.

        No times, so that data are reproducible.
        """
        return {
            "program": self.program,
            "code": self.code,
            "settings": self.settings_digest,
            "options": self.options,
            "seed": self.run_seed if self.seeded else None,
            "inputs": {name: [file_digest(p) for p in paths] for name, paths in sorted(self.inputs.items())},
            "versions": package_versions(),
        }


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide results."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def run_program(
    main: Callable[[Job[S]], None],
    description: str | None,
    settings: type[S],
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    options: Sequence[str] = (),
    seeded: bool = False,
    argv: Sequence[str] | None = None,
) -> None:
    """Parse the flags, run `main`, and end with exit 0 or with one last line `error: ...`.

    The names stand in the call as literals: the rule's command is made of them (flags.py). Inputs named with a trailing
    `*` take any number of paths (also none); all others exactly one. A trailing `?` makes an input optional.

    Args:
        main: the program.
        description: of it, for --help.
        settings: model of its settings.
        inputs: names of its inputs.
        outputs: names of its outputs.
        options: names of its other flags.
        seeded: it draws from the run's seed, so that its rule passes one.
        argv: flags; those of this process by default.
    """
    program = Path(sys.argv[0]).stem
    flags = vars(_parser(program, description, inputs, outputs, options).parse_args(argv))
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
        force=True,
    )
    # the imports are done: start_program.py watches them no longer
    faulthandler.cancel_dump_traceback_later()
    log.info("begin: %s", program)
    started = time.monotonic()
    beat = flags["heartbeat"]
    Progress("begin", beat).beat()
    use_threads(flags["threads"])
    try:
        main(_job(program, settings, flags, inputs, outputs, options, seeded))
    except InputError as error:
        _end_badly(beat, str(error))
    except Exception as error:
        log.exception("%s failed", program)
        _end_badly(beat, f"{program}: {type(error).__name__}: {error}")
    if beat is not None:
        beat.unlink(missing_ok=True)
    log.info("done: %s in %.1f s", program, time.monotonic() - started)


def use_threads(threads: int) -> None:
    """Let torch use so many CPU threads, where it is imported already and where it will be."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)


def _parser(
    program: str, description: str | None, inputs: Sequence[str], outputs: Sequence[str], options: Sequence[str]
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description=description)
    for name in inputs:
        nargs: Any = {"*": "*", "?": "?"}.get(name[-1])
        parser.add_argument(flag_of(name), type=Path, nargs=nargs, required=nargs is None)
    for name in outputs:
        parser.add_argument(flag_of(name), type=Path, required=True)
    for name in options:
        parser.add_argument(flag_of(name), required=True)
    parser.add_argument("--settings", required=True, help="JSON of the stage's section of the config")
    parser.add_argument(
        "--strict", action="store_true", help="keys that are not given have no default: using one is an error"
    )
    parser.add_argument("--seed", type=int, default=0, help="config key `seed`")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--code", default="", help="source digest, for the provenance")
    parser.add_argument("--heartbeat", type=Path, help="file for stage and progress")
    return parser


def _job(
    program: str,
    settings: type[S],
    flags: dict[str, Any],
    inputs: Sequence[str],
    outputs: Sequence[str],
    options: Sequence[str],
    seeded: bool,
) -> Job[S]:
    return Job(
        program=program,
        settings=_settings(settings, flags["settings"], flags["strict"]),
        inputs={n.rstrip("*?"): _paths(flags[n.rstrip("*?")]) for n in inputs},
        outputs={n: flags[n] for n in outputs},
        options={n: flags[n] for n in options},
        run_seed=flags["seed"],
        threads=flags["threads"],
        code=flags["code"],
        heartbeat=flags["heartbeat"],
        settings_digest=digest_of(json.loads(flags["settings"])),
        seeded=seeded,
    )


def _end_badly(beat: Path | None, message: str) -> NoReturn:
    """One last line; the heartbeat stays and keeps the stage that was reached, for `make why`."""
    if beat is not None and (last := read_beat(beat)):
        state = {key: value for key, value in last.items() if key not in ("stage", "time")}
        write_beat(beat, last["stage"], **{**state, "ended": "failed", "message": message})
    print(f"error: {message}", file=sys.stderr, flush=True)
    raise SystemExit(1) from None


def _paths(value: Any) -> list[Path]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _settings(model: type[S], text: str, strict: bool) -> S:
    try:
        settings = model.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise InputError(f"--settings is not JSON: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"--settings: key {key!r}: {first['msg']}") from error
    if strict:
        _forget_defaults(settings)
    return settings


def _forget_defaults(settings: BaseModel) -> None:
    """Take away what was not given, so that a program cannot use a key whose change would not rerun its rule."""
    for name in type(settings).model_fields:
        if name not in settings.model_fields_set:
            del settings.__dict__[name]
        elif isinstance(value := getattr(settings, name), BaseModel):
            _forget_defaults(value)
