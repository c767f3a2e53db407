"""What the file of a table is, by its name and its first bytes; what is packed with gzip is unpacked as it is read."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sociolect.common.errors import InputError

__all__ = ["ENDINGS", "byte_lines", "kind_of", "open_text", "refuse_foreign"]

_KINDS = {".parquet": ".parquet", ".csv": ".csv", ".jsonl": ".jsonl", ".ndjson": ".jsonl"}
ENDINGS = ".parquet, .csv, .jsonl, .csv.gz or .jsonl.gz"

_AS_CSV = "export it as CSV (fields separated by commas, UTF-8)"
_UNPACK = "unpack it and give the table itself"
# what to do with other endings that tables have
_REMEDIES = {
    **dict.fromkeys((".xlsx", ".xls", ".ods", ".numbers"), f"a spreadsheet: {_AS_CSV}"),
    **dict.fromkeys((".tsv", ".tab"), f"fields separated by tabs: {_AS_CSV}"),
    **dict.fromkeys((".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz"), f"packed: {_UNPACK}"),
    **dict.fromkeys((".feather", ".arrow", ".pkl", ".pickle", ".rds", ".dta"), "write it as parquet or as CSV"),
    ".txt": "a text: if its fields are separated by commas rename it to .csv, else export it as CSV (UTF-8)",
    ".json": "one JSON value: write one object a line (jq -c '.[]' FILE.json > FILE.jsonl), with the ending .jsonl",
}
# what other files begin with
_BEGINNINGS = {
    b"PK\x03\x04": f"this is a zip file or a spreadsheet (.xlsx, .ods); {_UNPACK}, or {_AS_CSV}",
    b"PK\x05\x06": "this is a zip file with nothing in it; give the table itself",
    b"BZh": f"this is packed with bzip2; {_UNPACK} (bunzip2), or pack it with gzip (.gz)",
    b"\xfd7zXZ\x00": f"this is packed with xz; {_UNPACK} (unxz), or pack it with gzip (.gz)",
    b"\x28\xb5\x2f\xfd": f"this is packed with zstd; {_UNPACK} (unzstd), or pack it with gzip (.gz)",
    b"7z\xbc\xaf\x27\x1c": f"this is packed with 7-Zip; {_UNPACK}",
    b"\xd0\xcf\x11\xe0": f"this is an old Excel file; {_AS_CSV}",
    b"ARROW1": "this is an Arrow or Feather file; write it as parquet",
}
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
# the longer ones first
_UTF_MARKS = {b"\xff\xfe\0\0": "UTF-32", b"\0\0\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_HEAD = 64


def kind_of(path: Path) -> str:
    """How a file is to be read, by its ending: `.parquet`, `.csv` or `.jsonl`.

    Raises:
        InputError: the ending is another one; the message says what to do with such a file.
    """
    suffix, packed = _suffix(path)
    kind = _KINDS.get(suffix)
    if kind == ".parquet" and packed:
        raise InputError(f"{path}: parquet is packed inside already; unpack it (gunzip) and give the .parquet file")
    if kind is None:
        what = _REMEDIES.get(suffix)
        why = f"the ending {suffix} is {what}" if what else f"the extension {suffix!r} is not known"
        raise InputError(f"{path}: {why}; give a file that ends in {ENDINGS}")
    return kind


def refuse_foreign(path: Path) -> None:
    """Refuse a file that is something else than its name says, by its first bytes.

    Raises:
        InputError: it is; the message says what it is and what to do.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    suffix, packed = _suffix(path)
    if packed and not head.startswith(_GZIP):
        _refuse_beginning(head, path)
        raise InputError(f"{path}: this is not packed with gzip, as its name says; rename it to {path.stem}")
    if not packed and head.startswith(_GZIP):
        remedy = f"{_UNPACK} (gunzip)" if suffix == ".parquet" else f"rename it to {path.name}.gz"
        raise InputError(f"{path}: this is packed with gzip; {remedy}")
    if not packed:
        _refuse_beginning(head, path)


def byte_lines(path: Path) -> Iterator[bytes]:
    """The lines of a text, unpacked.

    Raises:
        InputError: it is no whole gzip file although named so, is empty unpacked, or no text of one byte a letter.
    """
    try:
        with gzip.open(path) if _suffix(path)[1] else path.open("rb") as stream:
            head = stream.read(_HEAD)
            if not head:
                raise InputError(f"{path}: the file is empty (0 bytes unpacked); write it again")
            _refuse_beginning(head, path)
            if head.startswith(_PARQUET):
                raise InputError(f"{path}: this is a parquet file; rename it to {_bare(path)}.parquet")
            if wide := _wide(head):
                raise InputError(f"{path}: line 1: this is {wide}; save the table as UTF-8")
            stream.seek(0)
            yield from stream
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: the gzip file is cut off or damaged ({error}); write it again") from error


def open_text(path: Path, newline: str) -> IO[str]:
    """A text in UTF-8, unpacked, without its mark of byte order.

    Args:
        newline: as that of `open`.
    """
    if _suffix(path)[1]:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline=newline)
    return path.open(encoding="utf-8-sig", newline=newline)


def _suffix(path: Path) -> tuple[str, bool]:
    """The ending below `.gz`, and whether there is a `.gz`."""
    packed = path.suffix.lower() == ".gz"
    return (Path(path.stem).suffix if packed else path.suffix).lower(), packed


def _bare(path: Path) -> str:
    return Path(path.stem).stem if _suffix(path)[1] else path.stem


def _refuse_beginning(head: bytes, path: Path) -> None:
    for beginning, what in _BEGINNINGS.items():
        if head.startswith(beginning):
            raise InputError(f"{path}: {what}")


def _wide(head: bytes) -> str:
    """UTF-16 or UTF-32, by its mark or by the zero bytes beside plain letters; nothing where it is neither."""
    for mark, name in _UTF_MARKS.items():
        if head.startswith(mark):
            return name
    halves = [half.count(0) / max(len(half), 1) for half in (head[::2], head[1::2])]
    return ("UTF-32" if min(halves) > 0.25 else "UTF-16") if max(halves) > 0.5 else ""
