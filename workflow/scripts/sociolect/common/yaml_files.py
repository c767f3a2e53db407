"""YAML files as people write them: every fault is one line that names file and line, and no key is lost.

PyYAML takes the last of two equal keys in silence; here that is an error.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from sociolect.common.errors import InputError

__all__ = ["key_lines", "read_mapping"]

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# what PyYAML lets through where a value looks like a date or a number and is none, such as 2025-02-30 and 0x_
_NO_VALUE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice or is none, and a value that is none, with their lines."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except _NO_VALUE as error:
            if isinstance(error, InputError) or not isinstance(node, yaml.ScalarNode):
                raise
            line, kind = node.start_mark.line + 1, node.tag.rpartition(":")[2]
            raise InputError(
                f"line {line}: {node.value} is no {kind} ({error}); write another, or put it in quotes if it is text"
            ) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if not isinstance(key, Hashable):
                what = "a list" if isinstance(key, list) else "a mapping"
                raise InputError(f"line {line}: {what} is no key; put a text that begins with {{ or [ in quotes")
            if key in seen:
                raise InputError(f"line {line}: the key {key!r} is there twice, in line {seen[key]} too; keep one")
            seen[key] = line
        return super().construct_mapping(node, deep)


def read_mapping(path: Path) -> dict[str, Any]:
    """The keys of a YAML file; none of an empty one.

    Raises:
        InputError: there is no such file, it is a folder, not UTF-8, not YAML, no mapping, or has a key twice.
    """
    try:
        found = yaml.load(_text(path), Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise InputError(f"{path}: {_fault(error)}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    except InputError as error:
        raise error if str(error).startswith(str(path)) else InputError(f"{path}: {error}") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputError(f"{path}: line 1: there are no keys; write `key: value`, one a line")
    return {str(key): value for key, value in found.items()}


def key_lines(path: Path) -> dict[tuple[str, ...], int]:
    """Where each key of a YAML file stands: the names that lead to it -> its line. List items are numbered from 0."""
    lines: dict[tuple[str, ...], int] = {}

    def walk(node: yaml.Node | None, above: tuple[str, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                names = (*above, str(key.value))
                lines[names] = key.start_mark.line + 1
                walk(value, names)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                lines[*above, str(number)] = value.start_mark.line + 1
                walk(value, (*above, str(number)))

    walk(yaml.compose(_text(path), Loader=yaml.SafeLoader), ())
    return lines


def _text(path: Path) -> str:
    try:
        data = Path(path).read_bytes()
    except IsADirectoryError as error:
        raise InputError(f"{path}: this is a folder; give a file that ends in .yaml") from error
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if data.startswith(_UTF16):
        raise InputError(f"{path}: line 1: this is UTF-16; save the file as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}: line {line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from error


def _fault(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return f"not YAML ({error.problem})"
    where = f"line {mark.line + 1}"
    rest = (mark.buffer or "")[mark.pointer :] if mark.buffer else ""
    if rest.startswith("\t") or "'\\t'" in str(error.problem):
        return f"{where}: a tab; indent with spaces"
    return f"{where}: not YAML: {error.problem}" + (f" {error.context}" if error.context else "")
