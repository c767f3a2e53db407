"""JSON Lines, whole and broken: read right, or refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

from fuzzed import MANY, Row, found, tables, truth
from hypothesis import given
from hypothesis import strategies as st
from raw_tables import put, refuse


@MANY
@given(table=tables(), place=st.floats(0, 1), fault=st.sampled_from(["none", "cut", "byte", "nested", "twice", "nan"]))
def test_json_lines_are_read_right_or_refused(
    table: tuple[list[str], list[Row]], place: float, fault: str, tmp_path: Path
) -> None:
    names, rows = table
    at = int(place * (len(rows) - 1))
    shown = [{name: row[name] for name in names} for row in rows]
    if fault == "nested":
        shown[at]["answer"] = {"text": shown[at]["answer"]}
    if fault == "nan":
        shown[at]["author"], rows[at]["author"] = float("nan"), ""
    lines = [json.dumps(row, ensure_ascii=place < 0.5) for row in shown]
    if fault == "twice":
        lines[at] = f'{{"group": "g7", {lines[at][1:]}'
    data = ("\n".join(lines) + "\n").encode()
    if fault == "cut":
        data = data[: max(1, int(place * (len(data) - 3)))]
    if fault == "byte":
        data = data[: int(place * len(data))] + b"\xff" + data[int(place * len(data)) :]
    (tmp_path / "t.jsonl").write_bytes(data)
    told = found(tmp_path / "t.jsonl")
    if fault in ("none", "nan"):
        assert told == truth(rows)
    elif fault == "cut":
        # a file that is cut off between two lines is a whole file
        assert told is None or (told == truth(rows)[: len(told)] and data.rstrip().endswith(b"}"))
    else:
        assert told is None


def test_every_line_at_fault_is_told(tmp_path: Path) -> None:
    good = {"question_id": 1, "question": "Q?", "answer_id": 1, "answer": "A", "group": "g"}
    lines = [json.dumps(row) for row in (good, {**good, "answer": []}, {**good, "group": True})]
    path = put(tmp_path / "t.jsonl", "\n".join([lines[0], "{", *lines[1:]]))
    refuse(path, "line 2 is not JSON", "line 3, key 'answer': the value is a list", "line 4, key 'group': the value is")
