"""YAML as people write it: the right keys with their lines, or one line that names file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sociolect.common.errors import InputError
from sociolect.common.yaml_files import key_lines, read_mapping

FAULTS: dict[str, tuple[str | bytes, str]] = {
    "twice": ("a: 1\nb: {c: 1}\na: 2\n", "line 3: the key 'a' is there twice, in line 1 too; keep one"),
    "twice below": ("a:\n  b: 1\n  c: 2\n  b: 3\n", "line 4: the key 'b' is there twice, in line 2 too"),
    "tab": ("a:\n\tb: 1\n", "line 2: a tab; indent with spaces"),
    "open list": ("a: [1\nb: 2\n", "line 2: not YAML"),
    "open quote": ("a: 'b\n", "not YAML: found unexpected end of stream"),
    "alias": ("a: *b\n", "line 1: not YAML: found undefined alias 'b'"),
    "list": ("- a\n- b\n", "line 1: there are no keys"),
    "latin-1": ("a: 1\nb: caf\u00e9\n".encode("latin-1"), "line 2: byte 0xe9 is not UTF-8"),
    "utf-16": ("a: 1\n".encode("utf-16"), "line 1: this is UTF-16; save the file as UTF-8"),
    "control": ("a: \x07\n", "not YAML"),
    "no date": (
        "a: 1\nb: {c: 2025-02-30}\n",
        "line 2: 2025-02-30 is no timestamp (day is out of range for month); write",
    ),
    "no number": ("a: 0x_\n", "line 1: 0x_ is no int"),
    "template": (
        "a: 1\nrun: {{ name }}\n",
        "line 2: a mapping is no key; put a text that begins with { or [ in quotes",
    ),
    "list for a key": ("[a, b]: c\n", "line 1: a list is no key"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_one_line_with_file_and_line(tmp_path: Path, name: str) -> None:
    text, message = FAULTS[name]
    path = tmp_path / "c.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_mapping(path)
    assert str(caught.value).startswith(f"{path}: ") and message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: no such file"):
        read_mapping(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="this is a folder"):
        read_mapping(tmp_path)


def test_keys_and_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("\ufeff# a comment\na: 1\n\nb:\n  c: [x, y]\n  d: {e: 2}\n1: z\n", encoding="utf-8")
    assert read_mapping(path) == {"a": 1, "b": {"c": ["x", "y"], "d": {"e": 2}}, "1": "z"}
    lines = key_lines(path)
    assert [lines[key] for key in (("a",), ("b",), ("b", "c"), ("b", "c", "1"), ("b", "d", "e"), ("1",))] == [
        *(2, 4, 5, 5, 6, 7),
    ]
    path.write_text("# nothing\n")
    assert read_mapping(path) == {} and key_lines(path) == {}
