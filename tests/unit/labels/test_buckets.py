"""Resumable buckets, shards that only group them, and a gather that misses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import matrix, vectors, write_table
from sociolect.common.errors import InputError
from sociolect.common.pieces import bucket_of, buckets_of_shard
from sociolect.common.progress import Report
from sociolect.common.schemas import LABELS, TAGGED
from sociolect.labels.buckets import Labeled, Scored, Scorer, gather_shards, iter_texts, label_buckets

N_BUCKETS = 5
pytestmark = pytest.mark.usefixtures("one_thread")


class LengthScorer:
    """Scores by the length of the text; counts its calls."""

    def __init__(self, key: str = "v1", spoil: str | None = None) -> None:
        self.key, self.calls, self.spoil = key, 0, spoil

    def score(self, texts: Sequence[str], progress: Report | None = None, tagged: pl.DataFrame | None = None) -> Scored:
        self.calls += 1
        scores = np.array([[1 / (1 + len(t)), 0.5, 1.0] for t in texts], dtype=np.float32)
        for row, text in enumerate(texts):
            if text == self.spoil:
                scores[row, 1] = np.nan
        return Scored(scores, n_truncated=1, n_empty=sum(not t for t in texts))


def answers(n: int = 40) -> pl.DataFrame:
    frame = pl.DataFrame({"answer_id": [f"i{i:02d}" for i in range(n)], "answer": ["x" * i for i in range(n)]})
    return frame.sort("answer_id")


def label(
    cache: Path, buckets: Sequence[int], frame: pl.DataFrame, labeler: Scorer, progress: Report | None = None
) -> tuple[Labeled, list[pl.DataFrame]]:
    frames: list[pl.DataFrame] = []
    # in pieces of 7 rows, as a table is streamed
    done = label_buckets(cache, buckets, N_BUCKETS, frame.iter_slices(7), labeler, frames.append, progress)
    return done, frames


def content(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def test_another_number_of_shards_labels_nothing_again(tmp_path: Path) -> None:
    first = LengthScorer()
    done = [label(tmp_path, buckets_of_shard(f"{i}/2", N_BUCKETS), answers(), first)[0] for i in (1, 2)]
    assert sum(d.n_scored for d in done) == first.calls == N_BUCKETS
    again = LengthScorer()
    shards = [label(tmp_path, buckets_of_shard(f"{i}/3", N_BUCKETS), answers(), again) for i in (1, 2, 3)]
    assert again.calls == 0
    ids = sorted(i for _, frames in shards for f in frames for i in f["answer_id"])
    assert ids == answers()["answer_id"].to_list()
    assert sum(d.n_empty for d, _ in shards) == 1 and sum(d.n_truncated for d, _ in shards) == N_BUCKETS
    # nothing of the way there is left
    assert {p.suffix for p in tmp_path.iterdir()} == {".parquet"}


def test_only_what_changed_is_labeled_again(tmp_path: Path) -> None:
    everything = range(N_BUCKETS)
    label(tmp_path, everything, answers(), LengthScorer())
    before = content(tmp_path)
    # one text changed: its bucket alone
    edited = answers().with_columns(
        answer=pl.when(pl.col("answer_id") == "i07").then(pl.lit("new")).otherwise(pl.col("answer"))
    )
    assert label(tmp_path, everything, edited, LengthScorer())[0].n_scored == 1
    changed = {name for name, data in content(tmp_path).items() if data != before[name]}
    assert changed == {f"{bucket_of(N_BUCKETS, 'i07'):05d}.parquet"}
    # another model: all
    assert label(tmp_path, everything, edited, LengthScorer("v2"))[0].n_scored == N_BUCKETS


def test_an_answer_is_scored_with_its_own_tags_and_anew_when_they_change(tmp_path: Path) -> None:
    frame = answers()
    # one token for each x
    words = [{"answer_id": i, **dict.fromkeys(("pos", "tag", "dep", "noised"), ["X"] * len(text)),
              "head": [0] * len(text), "start": [True] * len(text)} for i, text in frame.iter_rows()]  # fmt: skip
    rows = TAGGED.frame(words)
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=1)

    class TokenScorer(LengthScorer):
        def score(
            self, texts: Sequence[str], progress: Report | None = None, tagged: pl.DataFrame | None = None
        ) -> Scored:
            assert tagged is not None and tagged["pos"].list.len().to_list() == [len(text) for text in texts]
            return super().score(texts)

    def label_tagged(table: pl.DataFrame) -> int:
        pieces, done = table.iter_slices(9), range(N_BUCKETS)
        return label_buckets(
            tmp_path, done, N_BUCKETS, frame.iter_slices(7), TokenScorer(), lambda _: None, tagged=pieces
        ).n_scored

    assert label_tagged(shuffled) == N_BUCKETS and label_tagged(rows) == 0
    assert label_tagged(rows.with_columns(dep=pl.when(answer_id="i07").then(["Y"] * 7).otherwise("dep"))) == 1
    with pytest.raises(InputError, match="answer 'i07' is not tagged"):
        label_tagged(rows.filter(pl.col("answer_id") != "i07"))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other"])
def test_a_damaged_bucket_is_labeled_again(tmp_path: Path, damage: str) -> None:
    everything = range(N_BUCKETS)
    label(tmp_path, everything, answers(), LengthScorer())
    whole = content(tmp_path)
    victim = sorted(tmp_path.iterdir())[2]
    data = victim.read_bytes()
    damaged = {
        "truncated": data[: len(data) // 2],
        "flipped": data[:4] + bytes(b ^ 0xFF for b in data[4:200]) + data[200:],
        "empty": b"",
        "other": sorted(tmp_path.iterdir())[1].read_bytes(),
    }
    victim.write_bytes(damaged[damage])
    assert label(tmp_path, everything, answers(), LengthScorer())[0].n_scored == 1
    assert content(tmp_path) == whole


def test_what_is_not_a_probability_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"answer 'i05', attribute column 1: the score is nan"):
        label(tmp_path, range(N_BUCKETS), answers(), LengthScorer(spoil="x" * 5))
    assert not (tmp_path / f"{bucket_of(N_BUCKETS, 'i05'):05d}.parquet").exists()


def shard(path: Path, ids: list[str], width: int = 3) -> Path:
    scores = np.array([[ord(i) / 200] * width for i in ids], dtype=np.float32)
    frame = pl.DataFrame({"answer_id": ids, "style": vectors(scores, "style")})
    write_table(frame, path, LABELS, {"catalogue": "c"})
    return path


def gather(paths: Sequence[Path], ids: list[str], width: int = 3, catalogue: str = "c") -> pl.DataFrame:
    frames: list[pl.DataFrame] = []
    gather_shards(paths, ids, width, catalogue, paths[0].parent, frames.append)
    return pl.concat(frames)


def test_gather_takes_every_answer_exactly_once(tmp_path: Path) -> None:
    one, two = shard(tmp_path / "1.parquet", ["b", "d"]), shard(tmp_path / "2.parquet", ["c", "a"])
    gathered = gather([one, two], ["d", "a", "c", "b"])
    assert gathered["answer_id"].to_list() == ["a", "b", "c", "d"]
    assert matrix(gathered["style"]).tolist() == np.float32([[ord(i) / 200] * 3 for i in "abcd"]).tolist()  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'d' is in no shard"):
        gather([two, shard(tmp_path / "3.parquet", ["b"])], ["a", "b", "c", "d"])
    with pytest.raises(InputError, match=r"'b' is there twice, in .*1\.parquet and .*3\.parquet"):
        gather([one, two, tmp_path / "3.parquet"], ["a", "b", "c", "d"])
    with pytest.raises(InputError, match=r"1\.parquet: answer 'd' is not in the table"):
        gather([one, two], ["a", "b", "c"])
    with pytest.raises(InputError, match="3 scores per answer, the catalogue has 4"):
        gather([one, two], ["a", "b", "c", "d"], 4)
    with pytest.raises(InputError, match=r"1\.parquet: made with another catalogue"):
        gather([one, two], ["a", "b", "c", "d"], catalogue="other")
    with pytest.raises(InputError, match=r"gone\.parquet: no such file"):
        gather([one, tmp_path / "gone.parquet"], ["a", "b", "c", "d"])
    two.write_bytes(two.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"2\.parquet: not a whole parquet file"):
        gather([one, two], ["a", "b", "c", "d"])


def test_texts_are_named_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"request_id": ["b", "a"], "text": ["B", "A"], "more": [1, 2]}).write_parquet(path)
    assert pl.concat(iter_texts(path, "request_id", "text")).rows() == [("b", "B"), ("a", "A")]
    assert next(iter_texts(path, "request_id", None)).columns == ["answer_id"]
    with pytest.raises(InputError, match="'answer' is missing"):
        list(iter_texts(path, "request_id", "answer"))
    pl.DataFrame({"request_id": ["b", "b"]}).write_parquet(path)
    with pytest.raises(InputError, match="there twice"):
        list(iter_texts(path, "request_id", None))
