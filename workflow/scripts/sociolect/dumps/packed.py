"""The lines of a dump, packed or not, one at a time."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import IO

import zstandard

from sociolect.common.errors import InputError

__all__ = ["dump_lines", "unpacked_suffix"]

# a longer line is no post
LONGEST = 16_000_000
# files of a folder that are named
_NAMED = 3
BLOCK = 1 << 14
# what the dumps of Reddit are packed with (zstd --long=31)
WINDOW = 1 << 31
_OPENERS: dict[str, Callable[[IO[bytes]], BufferedIOBase]] = {
    ".gz": lambda raw: gzip.GzipFile(fileobj=raw),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}
_PACKED = (*_OPENERS, ".zst")
_MARK = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_MAGIC = {b"7z\xbc\xaf\x27\x1c": ".7z", b"PK\x03\x04": ".zip", b"Rar!": ".rar"}
_UNPACK = {".7z": "7z x {0} -o{1}", ".zip": "unzip {0} -d {1}", ".rar": "unrar x {0} {1}/"}


def unpacked_suffix(path: Path) -> str:
    """The ending below that of a packer: `.ndjson` of `RC_2020.ndjson.zst`; empty where there is none."""
    return (Path(path.stem).suffix if path.suffix.lower() in _PACKED else path.suffix).lower()


def dump_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number, line) of each line, counted from 1, without its end.

    Args:
        path: a text, as it is or packed with gzip, bzip2, xz or zstd.

    Raises:
        InputError: there is no such file, it is a folder, an archive, empty, in UTF-16, cut off where it is packed, or
            has a line of more than LONGEST bytes.
    """
    if path.is_dir():
        names = sorted(file.name for file in path.iterdir())
        some = ", ".join([*names[:_NAMED], *(["..."] if len(names) > _NAMED else [])]) or "it is empty"
        raise InputError(f"{path}: this is a folder ({some}); give the files of the dump")
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the files of the dump")
    with path.open("rb") as raw:
        head = raw.read(8)
        _refuse(path, head)
        raw.seek(0)
        number, held, size = 0, list[bytes](), 0
        try:
            for block in _blocks(path, raw):
                *ended, rest = block.split(b"\n")
                for line in ended:
                    number += 1
                    yield number, _bare(b"".join([*held, line]), number)
                    held, size = [], 0
                # joined at its end: a line may be long
                held.append(rest)
                size += len(rest)
                if size > LONGEST:
                    raise InputError(
                        f"{path}: line {number + 1}: more than {LONGEST} bytes; a post is one line (of a JSON array: "
                        "jq -c '.[]'; of lines that end in carriage returns alone: tr '\\r' '\\n')"
                    )
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise InputError(
                f"{path}: after line {number}: the packed file is cut off or damaged ({error}); take it anew"
            ) from error
    if size:
        yield number + 1, _bare(b"".join(held), number + 1)


def _bare(line: bytes, number: int) -> bytes:
    return (line.removeprefix(_MARK) if number == 1 else line).removesuffix(b"\r")


def _refuse(path: Path, head: bytes) -> None:
    if not head:
        raise InputError(f"{path}: the file is empty (0 bytes); take the dump anew")
    kind = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), path.suffix.lower())
    if kind in _UNPACK:
        command = _UNPACK[kind].format(path, path.with_suffix(""))
        raise InputError(f"{path}: an archive ({kind}): unpack it (`{command}`), then give the file of posts in it")
    if head.startswith(_WIDE):
        raise InputError(f"{path}: line 1: this is UTF-16; write it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)")


def _blocks(path: Path, raw: IO[bytes]) -> Iterator[bytes]:
    suffix = path.suffix.lower()
    if suffix == ".zst":
        yield from _zstd_blocks(raw)
        return
    opened = _OPENERS.get(suffix)
    stream: IO[bytes] | BufferedIOBase = opened(raw) if opened else raw
    while block := stream.read(BLOCK):
        yield bytes(block)


def _zstd_blocks(raw: IO[bytes]) -> Iterator[bytes]:
    packer = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    frame = packer.decompressobj()
    ended = True
    try:
        while block := raw.read(BLOCK):
            while block:
                yield frame.decompress(block)
                ended, block = frame.eof, frame.unused_data
                if ended:
                    frame = packer.decompressobj()
    except zstandard.ZstdError as error:
        raise OSError(error) from error
    if not ended:
        raise EOFError("its last frame has no end")
