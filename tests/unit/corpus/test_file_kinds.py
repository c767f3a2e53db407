"""What is no table, or packed, is named for what it is; what is packed with gzip is read as if it were not."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import polars as pl
import pytest
from raw_tables import GOOD, HEADER, put, refuse, write

from sociolect.corpus.file_kinds import kind_of
from sociolect.corpus.reader import read_raw_corpus

TEXT = GOOD.write_csv().encode()
SAVE = "save the table as UTF-8"


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".ndjson", ".CSV"])
def test_a_packed_table_is_the_table(tmp_path: Path, ending: str) -> None:
    plain = tmp_path / f"t{ending}"
    if ending.lower() == ".csv":
        put(plain, b"\xef\xbb\xbf" + TEXT)
    else:
        write(GOOD, plain)
    # in several members, as pigz and `cat a.gz b.gz` make them
    whole = plain.read_bytes()
    packed = put(tmp_path / f"t{ending}.gz", gzip.compress(whole[:50]) + gzip.compress(whole[50:]))
    assert read_raw_corpus(packed).equals(read_raw_corpus(plain))
    assert read_raw_corpus(packed).height == GOOD.height


def test_faults_in_a_packed_table_have_its_name_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    refuse(put(path, gzip.compress(f"{HEADER}\nq,Q,a1\n".encode())), "row 1 (line 2) has 3 fields")
    refuse(put(path, gzip.compress(f"{HEADER}\nq,Q,a1,caf".encode() + b"\xe9,,g\n")), "line 2: byte 0xe9", SAVE)
    refuse(put(path, gzip.compress(b"")), "the file is empty (0 bytes unpacked)")
    refuse(put(tmp_path / "t.jsonl.gz", gzip.compress(b'{"answer": ]\n')), "line 1 is not JSON")


@pytest.mark.parametrize("ending", [".csv.gz", ".jsonl.gz"])
def test_a_gzip_that_is_cut_off_damaged_or_none(tmp_path: Path, ending: str) -> None:
    path, packed = tmp_path / f"t{ending}", gzip.compress(TEXT * 50)
    for keep in (3, 12, len(packed) // 2, len(packed) - 4):
        refuse(put(path, packed[:keep]), "the gzip file is cut off or damaged", "write it again")
    turned = bytearray(packed)
    turned[len(packed) // 2] ^= 0xFF
    refuse(put(path, bytes(turned)), "the gzip file is cut off or damaged")
    # the sum at its end is another text's
    refuse(put(path, packed[:-8] + b"\0" * 8), "the gzip file is cut off or damaged")
    refuse(put(path, packed + b"and more"), "the gzip file is cut off or damaged")
    refuse(put(path, TEXT), "not packed with gzip, as its name says", f"rename it to {path.stem}")


def test_what_is_packed_under_another_name(tmp_path: Path) -> None:
    for ending in (".csv", ".jsonl"):
        refuse(put(tmp_path / f"t{ending}", gzip.compress(TEXT)), "packed with gzip", f"rename it to t{ending}.gz")
    refuse(put(tmp_path / "t.parquet", gzip.compress(TEXT)), "packed with gzip", "unpack it")
    refuse(put(tmp_path / "t.csv", bz2.compress(TEXT)), "packed with bzip2", "unpack it")
    refuse(put(tmp_path / "t.jsonl", lzma.compress(TEXT)), "packed with xz", "unpack it")
    refuse(put(tmp_path / "t.csv", b"\x28\xb5\x2f\xfd" + TEXT), "packed with zstd", "unpack it")
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as bundle:
        bundle.writestr("t.csv", TEXT)
    zipped = (tmp_path / "t.zip").read_bytes()
    for name in ("t.csv", "t.jsonl", "t.parquet", "t.csv.gz"):
        refuse(put(tmp_path / name, zipped), "a zip file or a spreadsheet", "unpack it", "export it as CSV")
    # one inside the other
    refuse(put(tmp_path / "in.csv.gz", gzip.compress(zipped)), "a zip file or a spreadsheet")
    parquet = write(GOOD, tmp_path / "good.parquet").read_bytes()
    refuse(put(tmp_path / "p.csv.gz", gzip.compress(parquet)), "a parquet file; rename it to p.parquet")


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_letters_are_named_with_and_without_their_mark(tmp_path: Path, codec: str) -> None:
    name = codec[:6].upper()
    for ending, text in ((".csv", TEXT.decode()), (".jsonl", '{"question_id": "q"}\n')):
        said = f"line 1: this is {name}; {SAVE}"
        refuse(put(tmp_path / f"t{ending}", text.encode(codec)), said)
        refuse(put(tmp_path / f"t{ending}.gz", gzip.compress(text.encode(codec))), said)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("t.xlsx", "a spreadsheet: export it as CSV (fields separated by commas, UTF-8)"),
        ("t.tsv", "fields separated by tabs: export it as CSV"),
        ("t.tsv.gz", "fields separated by tabs"),
        ("t.txt", "if its fields are separated by commas rename it to .csv"),
        ("t.json", "write one object a line"),
        ("t.parquet.gz", "unpack it (gunzip) and give the .parquet file"),
        ("t.zip", "packed: unpack it"),
        ("t.tar.gz", "packed: unpack it"),
        ("t.feather", "write it as parquet"),
        ("t.xyz", "the extension '.xyz' is not known"),
        ("table", "the extension '' is not known; give a file that ends in .parquet, .csv, .jsonl"),
        ("t.gz", "the extension '' is not known"),
    ],
)
def test_other_endings_say_what_to_do(tmp_path: Path, name: str, remedy: str) -> None:
    refuse(put(tmp_path / name, TEXT), remedy)


def test_kinds_go_by_the_ending_below_gz() -> None:
    names = ("a.parquet", "a.csv", "a.jsonl", "a.ndjson", "a.CSV.GZ", "a.b.jsonl.gz")
    kinds = [kind_of(Path(name)) for name in names]
    assert kinds == [".parquet", ".csv", ".jsonl", ".jsonl", ".csv", ".jsonl"]


def test_texts_with_zero_bytes_or_a_mark_of_byte_order_are_no_wide_letters(tmp_path: Path) -> None:
    path = put(tmp_path / "t.csv", b"\xef\xbb\xbf" + f"{HEADER}\nq,Q,a,\0x\0,u,g\n".encode())
    assert read_raw_corpus(path)["answer"].equals(pl.Series("answer", ["\0x\0"]))
