"""Lines of a file: whole, whatever the blocks that they are read in, and never more than one of them held."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sociolect.common.errors import InputError
from sociolect.dumps import packed
from sociolect.dumps.packed import dump_lines, unpacked_suffix


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text("ab\n", min_size=1, max_size=30), block=st.integers(1, 7))
def test_blocks_do_not_matter(text: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "BLOCK", block)
    path = tmp_path / "lines.txt"
    path.write_bytes(text.encode())
    assert [line.decode() for _, line in dump_lines(path)] == text.removesuffix("\n").split("\n")
    assert [number for number, _ in dump_lines(path)] == list(range(1, len(text.removesuffix("\n").split("\n")) + 1))


def test_marks_and_ends_of_lines_of_other_systems_go(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    assert list(dump_lines(path)) == [(1, b"one"), (2, b"two")]


def test_a_line_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "LONGEST", 100_000)
    path = tmp_path / "array.json"
    path.write_bytes(b"[\n" + b"{}," * 100_000)
    with pytest.raises(InputError, match=r"array\.json: line 2: more than 100000 bytes; a post is one line"):
        list(dump_lines(path))


def test_the_ending_below_that_of_a_packer() -> None:
    assert [unpacked_suffix(Path(name)) for name in ("a.csv.gz", "a.CSV", "RC_2020.zst")] == [".csv", ".csv", ""]
