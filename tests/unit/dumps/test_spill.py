"""Buckets on the disk: what belongs together is together, and none is larger than what memory was meant for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dump_files import adds_up, counts, json_lines, made

from sociolect.dumps import spill


def survey(path: Path, n: int) -> Path:
    """One question with n answers of two groups, an answer of each hundred twice and one of another text."""
    rows = [
        {
            "question_id": 1,
            "question": "Why?",
            "answer_id": number,
            "answer": f"So {number}.",
            "group": "ab"[number % 2],
        }
        for number in range(n)
    ]
    again = [row for row in rows if row["answer_id"] % 100 == 0]  # type: ignore[operator]
    # the best of a is the last one, of b the first with that score
    more = [{**rows[0], "answer_id": n + k, "answer": f"Best {k}.", "group": "aabb"[k], "score": 9} for k in (0, 2, 3)]
    more.append({**rows[0], "answer_id": n + 9, "answer": "Better.", "group": "a", "score": 10})
    return json_lines(path, *rows, *again, *({**row, "answer": "Other."} for row in again), *more)


def test_a_question_with_very_many_answers_comes_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = survey(tmp_path / "t.jsonl", 2000)
    whole, before = made("table", [path], tmp_path / "whole")
    heights: list[int] = []
    buckets = spill.Spill.buckets

    def seen(self: spill.Spill) -> Any:
        for bucket in buckets(self):
            heights.extend(piece.height for piece in bucket)
            yield bucket

    monkeypatch.setattr(spill.Spill, "buckets", seen)
    monkeypatch.setattr(spill, "BUCKET", 20_000)
    cut, imported = made("table", [path], tmp_path / "cut")
    assert cut == whole and imported.sizes == before.sizes and counts(imported) == counts(before)
    assert adds_up(imported) and sum(heights) == 2044
    # more than ten pieces of one bucket
    assert max(heights) < 200
    assert [row["answer"] for row in cut["single"]] == ["Best 2.", "Better."]
    assert (counts(imported)["there twice"], counts(imported)["another answer has its id"]) == (20, 20)
    assert imported.sizes["multi", "a"] == (1002, 1)
