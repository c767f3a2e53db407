"""The header of a GGUF file: what it says of the model, and how long the file must be."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from sociolect.common.errors import InputError

__all__ = ["GgufHeader", "read_header"]

# kinds of values by their number in the file: u8, i8, u16, i16, u32, i32, f32, bool, -, -, u64, i64, f64
_FORMATS = ("B", "b", "H", "h", "I", "i", "f", "?", "", "", "Q", "q", "d")
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True)
class GgufHeader:
    """Keys with their values (of an array: its length), tensors, and the size that they promise."""

    values: dict[str, Any]
    tensors: tuple[str, ...]
    size: int

    @property
    def architecture(self) -> str:
        """Name of the architecture, such as `gemma3`."""
        return str(self.values.get("general.architecture", "unknown"))


class _Cursor:
    """Reads on and on; past the end of the file it raises struct.error."""

    def __init__(self, data: mmap) -> None:
        self.data, self.place = data, 0

    def number(self, form: str) -> Any:
        (value,) = struct.unpack_from(f"<{form}", self.data, self.place)
        self.place += struct.calcsize(f"<{form}")
        return value

    def skip(self, n: int) -> None:
        self.place += n
        if self.place > len(self.data):
            raise struct.error("past the end")

    def text(self) -> str:
        n = self.number("Q")
        self.skip(n)
        return self.data[self.place - n : self.place].decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            return self.number(_FORMATS[kind])
        inner, n = self.number("I"), self.number("Q")
        if inner == _STRING:
            for _ in range(n):
                self.skip(self.number("Q"))
        else:
            self.skip(n * struct.calcsize(f"<{_FORMATS[inner]}"))
        return n


def read_header(path: Path) -> GgufHeader:
    """Read a GGUF file's header, and check that the file is as long as it says.

    Raises:
        InputError: there is no such file, it is no GGUF file, or it is cut.
    """
    if not path.is_file():
        raise InputError(f"models: there is no file {path}; mend the key `gguf`")
    with path.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise InputError(f"{path}: not a GGUF file")
        with mmap(stream.fileno(), 0, access=ACCESS_READ) as data:
            try:
                header = _read(_Cursor(data))
            except (struct.error, UnicodeDecodeError, IndexError, ValueError) as error:
                raise InputError(
                    f"{path}: its header is broken, or of a kind not known here ({error}); get another file"
                ) from error
    if (have := path.stat().st_size) < header.size:
        raise InputError(f"{path}: cut, it has {have} of {header.size} bytes; get the file again")
    return header


def _read(cursor: _Cursor) -> GgufHeader:
    cursor.skip(4)
    version, n_tensors, n_values = cursor.number("I"), cursor.number("Q"), cursor.number("Q")
    if version not in (2, 3):
        raise ValueError(f"version {version}")
    values = {}
    for _ in range(n_values):
        key = cursor.text()
        values[key] = cursor.value(cursor.number("I"))
    names, end = [], 0
    for _ in range(n_tensors):
        names.append(cursor.text())
        shape = [cursor.number("Q") for _ in range(cursor.number("I"))]
        length, n_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(cursor.number("I"))]
        n = 1
        for side in shape:
            n *= side
        end = max(end, cursor.number("Q") + n // length * n_bytes)
    step = values.get("general.alignment", 32)
    return GgufHeader(values, tuple(names), -(-cursor.place // step) * step + end)
