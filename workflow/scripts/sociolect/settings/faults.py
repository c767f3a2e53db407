"""What is wrong with a config in plain words: where it stands, the value given, why, and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, Tag, ValidationError

from sociolect.common.errors import InputError
from sociolect.common.yaml_files import key_lines, read_mapping

__all__ = ["Fault", "faults_of", "names_of", "read_checked", "shown_faults"]

M = TypeVar("M", bound=BaseModel)

# patterns in words
_PATTERNS = {
    r"^[A-Za-z][A-Za-z0-9_-]*$": "write letters, digits, _ and -, a letter first",
    r"^[a-z][a-z0-9_]*$": "write small letters, digits and _, a letter first",
    r"^[0-9a-f]{64}$": "write a SHA-256, 64 hex digits",
    r"^[0-9a-f]{40}$": "write a commit, 40 hex digits",
    r"^[\w.-]+/[\w.-]+$": "write owner/name",
    r"^[A-Za-z0-9][\w.-]*$": "write the name of a package",
    r"^[\w.!+-]+$": "write a version",
    r"^[\w.-]+\.gguf$": "write the name of a file that ends in .gguf",
}
# type of pydantic's problem -> what to do, filled from its context
_REMEDIES = {
    "literal_error": "choose {expected}",
    "greater_than": "write a number above {gt:g}",
    "greater_than_equal": "write at least {ge:g}",
    "less_than": "write a number below {lt:g}",
    "less_than_equal": "write at most {le:g}",
    "finite_number": "write a finite number",
    "string_type": "write text (in quotes where it looks like a number)",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "dict_type": "write keys below it",
    "model_type": "write keys below it",
}
_DATES = ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact")
_WHOLE = ("int_type", "int_parsing", "int_from_float")
_NUMBERS = ("float_type", "float_parsing")
_LISTS = ("tuple_type", "list_type", "set_type")


class Fault(NamedTuple):
    """One fault of a config: the names that lead to the key, and what to say of it."""

    names: tuple[str, ...]
    why: str


def faults_of(problem: Mapping[str, Any], config: type[BaseModel]) -> Iterator[Fault]:
    """The faults that pydantic's problem stands for.

    Args:
        problem: of `ValidationError.errors()`.
        config: what was validated.
    """
    names = names_of(problem, config)
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        _, model = _place(problem["loc"][:-1], config)
        known = sorted(getattr(model, "model_fields", {}))
        near = difflib.get_close_matches(names[-1], known, n=1, cutoff=0.6)
        hint = f"write {near[0]!r}" if near else f"known keys here: {', '.join(known)}"
        yield Fault(tuple(names), f"there is no such key; {hint}")
    elif kind == "missing":
        yield Fault(tuple(names), "required; add it")
    elif kind == "combinations":
        # a line each, the key first
        for line in context["lines"].split("\n"):
            key, _, why = line.partition(": ")
            yield Fault(tuple(key.split(".")), why)
    elif kind in ("value_error", "truth"):
        yield Fault(tuple(names), str(problem["msg"]).removeprefix("Value error, "))
    else:
        yield Fault(tuple(names), f"{_shown(value)}: {_remedy(kind, context, str(problem['msg']))}")


def names_of(problem: Mapping[str, Any], config: type[BaseModel]) -> list[str]:
    """Names on the way to the key of pydantic's problem, as the file has them."""
    return _place(problem["loc"], config)[0]


def _remedy(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], message)
    if kind in _WHOLE:
        return "write a whole number"
    if kind in _NUMBERS:
        return "write a number"
    if kind in _DATES:
        return "write a date, such as 2025-01-01"
    if kind in _LISTS:
        return "write a list, such as [a, b]"
    if kind in ("too_short", "string_too_short"):
        return f"name at least {context.get('min_length', 1)}"
    if kind == "too_long":
        return f"name at most {context['max_length']}"
    return _REMEDIES[kind].format(**context) if kind in _REMEDIES else message


def _shown(value: Any) -> str:
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def shown_faults(faults: Sequence[Fault], where: str, files: Sequence[Path]) -> list[str]:
    """A line for each: `file: line 7, key 'a.b': why`, those of a file in the order of its lines.

    Args:
        faults: of `faults_of`.
        where: what to call the config where no file has the key.
        files: the config files, the last of which wins.
    """
    lines = [(str(path), _lines(path)) for path in files]
    shown: list[tuple[int, str]] = []
    for names, why in faults:
        # a key that is missing has its section's line
        beginnings = [names[:n] for n in range(len(names), 0, -1)]
        found = next(((file, at[some]) for some in beginnings for file, at in reversed(lines) if some in at), None)
        place = f"{found[0]}: line {found[1]}, " if found else f"{lines[-1][0] if lines else where}: "
        key = f"key {'.'.join(names)!r}: " if names else ""
        shown.append((found[1] if found else 0, f"{place}{key}{why}"))
    return [text for _, text in sorted(shown, key=lambda one: one[0])]


def read_checked(path: Path, model: type[M], key: str, change: Callable[[dict[str, Any]], Any] = dict) -> M:
    """Read a YAML file that the config names, and check it.

    Args:
        path: the file.
        model: what its keys must be.
        key: of the config, that names the file.
        change: what is made of the keys before they are checked.

    Raises:
        InputError: a line for each fault, with file, line and key.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; set {key}")
    values = read_mapping(path)
    try:
        return model.model_validate(change(values))
    except ValidationError as error:
        faults = [fault for problem in error.errors() for fault in faults_of(problem, model)]
        raise InputError("\n".join(shown_faults(faults, str(path), [path]))) from error


def _lines(path: Path) -> dict[tuple[str, ...], int]:
    try:
        return key_lines(path)
    except InputError:
        # what it says is known from elsewhere
        return {}


def _place(loc: tuple[int | str, ...], config: type[BaseModel]) -> tuple[list[str], Any]:
    """Names on the way to a key, as the file has them, and what lies there: a section or the type of a value."""
    names: list[str] = []
    here: Any = config
    for part in loc:
        options = [get_args(option) for option in get_args(here)]
        kinds = {tag.tag: kind for kind, *more in filter(None, options) for tag in more if isinstance(tag, Tag)}
        if part in kinds:
            # which kind of model it was taken for: no key of the file
            here = kinds[part]
            continue
        names.append(str(part))
        field = getattr(here, "model_fields", {}).get(part)
        inner = [arg for arg in get_args(here) if isinstance(arg, type) and issubclass(arg, BaseModel)]
        here = field.annotation if field is not None else next(iter(inner), None)
    return names, here
