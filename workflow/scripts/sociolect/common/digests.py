"""Digests that decide what is rerun: of files, of settings and of the program's source.

The source digest hashes syntax trees without comments and docstrings, so that a comment reruns nothing.
Modules that only list declarations (those of `settings`, and `schemas`) are followed name by name, from one file to the
next: a new key of one stage must not rerun the others.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sociolect.common.files import write_text

PACKAGE = "sociolect"
SCRIPTS = Path(__file__).resolve().parents[2]


def digest_of(value: object) -> str:
    """Short digest of a JSON-serialisable value (keys sorted)."""
    return _short(json.dumps(value, sort_keys=True, ensure_ascii=False, default=str).encode())


def file_digest(path: Path) -> str:
    """Short digest of a file's bytes, or of all files of a folder by relative name."""
    sha = hashlib.sha256()
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in files:
        if path.is_dir():
            sha.update(str(file.relative_to(path)).encode() + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                sha.update(block)
    return sha.hexdigest()[:16]


def source_digest(program: str, scripts: Path = SCRIPTS, leave: tuple[str, ...] = ()) -> str:
    """Digest of a program's syntax tree and of all it imports from the library, directly or not.

    Args:
        program: name of the rule, so of workflow/scripts/<program>.py.
        scripts: folder of the programs and of the package.
        leave: modules that the program does not come to import as it is run, and that are not followed.

    Raises:
        FileNotFoundError: there is no such program.
        LookupError: a name is imported that its module does not define at its top level, where it could be followed.
    """
    known = _REMEMBERED.get(_key(program, scripts, leave))
    return known or _source_digest(program, scripts, leave)


@contextmanager
def remembered(path: Path, scripts: Path = SCRIPTS) -> Iterator[None]:
    """Source digests from this file while no source has changed, by size and time; what is worked out is added to it.

    For programs that only look: all digests together take two seconds.
    """
    sources = sorted(scripts.rglob("*.py"))
    state = digest_of([(str(file), (stat := file.stat()).st_mtime_ns, stat.st_size) for file in sources])
    _WORKED_OUT.clear()
    _source_digest.cache_clear()
    with suppress(OSError, ValueError, KeyError):  # not there yet, or half written
        kept = json.loads(path.read_text(encoding="utf-8"))
        _REMEMBERED.update(kept["digests"] if kept["state"] == state else {})
    try:
        yield
    finally:
        found = _REMEMBERED | _WORKED_OUT
        _REMEMBERED.clear()
        with suppress(OSError):  # no room, or not ours to write
            write_text(json.dumps({"state": state, "digests": found}), path, sync=False)


def _key(program: str, scripts: Path, leave: tuple[str, ...]) -> str:
    return json.dumps([program, str(scripts), *leave])


_REMEMBERED: dict[str, str] = {}
_WORKED_OUT: dict[str, str] = {}


@cache
def _source_digest(program: str, scripts: Path, leave: tuple[str, ...]) -> str:
    main = _module(scripts / f"{program}.py", scripts)
    parts: dict[str, str] = {program: main.text}
    pending = list(main.imports)
    seen: set[tuple[str, str | None]] = set()
    while pending:
        module, name = pending.pop()
        named = name if _lists_declarations(module) else None
        if (module, named) in seen or module in leave:
            continue
        seen.add((module, named))
        found = _module(_file_of(module, scripts), scripts)
        if named is None:
            parts[module] = found.text
            pending += found.imports
            continue
        defined, imported = _closure(found.tree, named, module, scripts)
        parts |= {f"{module}:{used}": ast.dump(node) for used, node in defined.items()}
        pending += imported
    text = "\n".join(f"{key}={parts[key]}" for key in sorted(parts))
    digest = _WORKED_OUT[_key(program, scripts, leave)] = _short(text.encode())
    return digest


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


class _Module(NamedTuple):
    """A file's tree without docstrings, the tree as text, and what it imports from the package."""

    tree: ast.Module
    text: str
    imports: tuple[tuple[str, str | None], ...]


def _module(path: Path, scripts: Path) -> _Module:
    return _read(path, path.stat().st_mtime_ns, scripts)


@cache
def _read(path: Path, mtime: int, scripts: Path) -> _Module:
    """Once for all programs: the digests are made anew wherever the workflow is parsed, in every job."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and (
            node.body
            and isinstance(node.body[0], ast.Expr)
            and isinstance(node.body[0].value, ast.Constant)
            and isinstance(node.body[0].value.value, str)
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return _Module(tree, ast.dump(tree), tuple(_imports(tree, scripts)))


def _file_of(module: str, scripts: Path) -> Path:
    base = scripts.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _is_module(module: str, scripts: Path) -> bool:
    return _file_of(module, scripts).is_file()


def _imports(tree: ast.AST, scripts: Path) -> list[tuple[str, str | None]]:
    """(module, imported name) of every import from the package, also inside functions."""
    found: list[tuple[str, str | None]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(a.name, None) for a in node.names if a.name.split(".")[0] == PACKAGE]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.append((inner, None) if _is_module(inner, scripts) else (node.module, alias.name))
    return found


def _plain_targets(node: ast.stmt) -> list[str] | None:
    """Names that an assignment binds; None for another statement, or one that changes something in place."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)):
        return None
    targets = list(node.targets) if isinstance(node, ast.Assign) else [node.target]
    names = [n for target in targets for n in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return [n.id for n in names if isinstance(n, ast.Name)] if all(isinstance(n, ast.Name) for n in names) else None


def _lists_declarations(module: str) -> bool:
    return module.startswith(f"{PACKAGE}.settings.") or module == f"{PACKAGE}.common.schemas"


def _closure(
    tree: ast.Module, name: str, module: str, scripts: Path
) -> tuple[dict[str, ast.AST], list[tuple[str, str | None]]]:
    """Top-level statements that define `name` and the names which these use; and which of these are imported."""
    defined: dict[str, ast.AST] = {}
    imported: dict[str, tuple[str, str | None]] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined[node.name] = node
        elif (targets := _plain_targets(node)) is not None:
            defined.update(dict.fromkeys(targets, node))
        elif isinstance(node, ast.ImportFrom) and not any(alias.name == "*" for alias in node.names):
            imported.update(zip([a.asname or a.name for a in node.names], _imports(node, scripts), strict=False))
        elif not (isinstance(node, ast.Pass) or (isinstance(node, ast.Import) and not _imports(node, scripts))):
            # what it binds or changes would not be noticed
            raise LookupError(f"{module}, line {node.lineno}: only imports of names, definitions and assignments here")
    if name not in defined:
        raise LookupError(f"{module} defines no {name!r} at its top level")
    reached: dict[str, ast.AST] = {}
    found: list[tuple[str, str | None]] = []
    pending = [name]
    while pending:
        current = pending.pop()
        if current in imported:
            found.append(imported[current])
        if current in reached or current not in defined:
            continue
        reached[current] = defined[current]
        pending += [n.id for n in ast.walk(defined[current]) if isinstance(n, ast.Name)]
    return reached, found
