"""Files, folders and packages that a config needs and that are not there, or not what they should be."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from sociolect.attributes.description_prompts import read_description_prompts
from sociolect.common.errors import InputError
from sociolect.lm.document_prompts import read_document_prompts
from sociolect.lm.prompts import read_prompts
from sociolect.lm.server_probe import server_fault
from sociolect.lm.wording_files import read_wordings
from sociolect.settings.config import Config
from sociolect.settings.faults import Fault
from sociolect.settings.models import PICKLED, GgufModel, HubModel, LocalModel
from sociolect.settings.syntax import is_installed

__all__ = ["LEAST_GB", "disk_faults", "model_faults", "package_faults", "prompt_faults", "server_faults"]

# the demo takes 0.02, a pretrained model of 270 M parameters on two corpora 1.3
LEAST_GB = 1.0
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "spm.model", "spiece.model", "vocab.json", "vocab.txt", "*.tiktoken")


def prompt_faults(config: Config) -> Iterator[Fault]:
    """Prompt files that are missing or wrong: those that the run reads."""
    asked: list[tuple[tuple[str, str], str, Callable[[Path], Any]]] = [
        (("generation", "prompt_file"), config.generation.prompt_file, read_prompts),
        (("generation", "wordings_file"), config.generation.wordings_file, read_wordings),
    ]
    if config.description.describer == "llm":
        asked.append((("description", "prompt_file"), config.description.prompt_file, read_description_prompts))
    if config.prompts.style != "chat":
        asked.append((("prompts", "document_file"), config.prompts.document_file, read_document_prompts))
    for names, path, read in asked:
        try:
            read(Path(path))
        except InputError as error:
            yield from (Fault(names, line) for line in str(error).split("\n"))


def model_faults(config: Config) -> Iterator[Fault]:
    """Model folders and files that are not there, or hold no model; what was fetched before is not looked for again."""
    for name in ("sfam", "lm"):
        if name == "sfam" and config.labeling.scorer == "measured":
            continue
        model = getattr(config.models, name)
        fetched = Path("results") / config.run / "models" / name / "snapshot.json"
        if isinstance(model, str) or fetched.is_file():
            continue
        names = ("models", name)
        if isinstance(model, LocalModel):
            yield from (Fault(names, why) for why in _folder_faults(Path(model.folder)))
        elif isinstance(model, GgufModel):
            yield from (Fault(names, why) for why in _gguf_faults(Path(model.gguf)))
        elif isinstance(model, HubModel) and "://" not in config.models.hub:
            if not Path(config.models.hub).is_dir():
                yield Fault(("models", "hub"), f"{config.models.hub}: no such folder, and no address (https://...)")
            elif not (folder := Path(config.models.hub) / model.repo).is_dir():
                yield Fault(names, f"{folder}: no such folder; put the model there, or give the address of a hub")
    # opened hours after the start, and not fetched before
    if config.evaluation.sentence_model is not None:
        for why in _folder_faults(Path(config.evaluation.sentence_model)):
            yield Fault(("evaluation", "sentence_model"), why)


def server_faults(config: Config, ask: bool) -> Iterator[Fault]:
    """The server that describes: no key, or, where it is asked, no answer; nothing once it has described."""
    server, done = config.description.server, Path("results") / config.run / "attributes" / "sentences.parquet"
    if config.backends["description"] != "server" or server is None or done.is_file():
        return
    if why := server_fault(server, os.environ, ask):
        yield Fault(("description", "server"), why)


def package_faults(config: Config, project: Path) -> Iterator[Fault]:
    """Packages and environments that the run needs and that are not installed."""
    pins = project / "envs" / "core.txt"
    missing = [name for name in _pinned(pins) if not _is_there(name)] if pins.is_file() else []
    if missing:
        yield Fault((), f"not installed: {', '.join(missing)} ({pins}); run `make setup`")
    for stage, backend in config.backends.items():
        if backend == "vllm" and not (project / ".venv-vllm" / "bin" / "python").exists():
            yield Fault((stage, "backend"), "it is vllm, and there is no .venv-vllm: make setup-vllm")
    if config.syntax.tagger != "none" and not is_installed(config.syntax.tagger):
        yield Fault(
            ("syntax", "tagger"), f"{config.syntax.tagger}, and spaCy is not installed: run `make setup-syntax`"
        )


def disk_faults(config: Config) -> Iterator[Fault]:
    """A results folder that cannot be written, or a disk without room."""
    folder = Path("results") / config.run
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not there.is_dir():
        yield Fault((), f"{there}: this is a file; results go into a folder of this name: move it")
    elif not os.access(there, os.W_OK | os.X_OK):
        yield Fault((), f"{there}: no permission to write; change its owner or mode, or run in another folder")
    elif (free := shutil.disk_usage(there).free / 1e9) < LEAST_GB:
        yield Fault((), f"{there}: {free:.2f} GB free on its disk, a run needs {LEAST_GB:g} at least; make room")


def _folder_faults(folder: Path) -> Iterator[str]:
    if not folder.is_dir():
        yield f"{folder}: no such folder; give one with config.json, weights and a tokenizer"
        return
    try:
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        yield f"{folder}: no config.json, so that it is no model; give the folder that has one"
    except ValueError as error:
        yield f"{folder}/config.json is not whole JSON ({error}); take it anew"
    if not any(folder.glob("*.safetensors")) and not (folder / PICKLED).is_file():
        yield f"{folder}: no weights, neither .safetensors nor {PICKLED}; take the model anew"
    if not any(any(folder.glob(name)) for name in TOKENIZERS):
        yield f"{folder}: no tokenizer (such as tokenizer.json); save it beside the weights"


def _gguf_faults(path: Path) -> Iterator[str]:
    if not path.is_file():
        yield f"{path}: no such file; put the GGUF file there"
        return
    with path.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            yield f"{path}: no GGUF file; give one that begins with GGUF"


def _pinned(pins: Path) -> list[str]:
    """Names of the packages that a file of pins asks for on every machine."""
    lines = pins.read_text(encoding="utf-8").splitlines()
    found = [
        re.match(r"([A-Za-z0-9][\w.-]*)(\[[\w,-]+\])?\s*==[^;]*$", line.partition("#")[0].strip()) for line in lines
    ]
    return [match.group(1) for match in found if match]


def _is_there(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
