"""Labelling: resumable buckets, shards that only group them, and a gather that misses nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import streams as streams_of

from sociolect.common.artifacts import matrix, vectors, write_table
from sociolect.common.errors import InputError
from sociolect.common.pieces import bucket_of, buckets_of_shard
from sociolect.common.progress import Report
from sociolect.common.schemas import LABELS
from sociolect.labels.buckets import Labelled, Scored, Scorer, gather_shards, iter_texts, label_buckets
from sociolect.labels.scorers import CrossEncoderScorer, StudentScorer
from sociolect.scratch.deberta import build_deberta
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.labels import LabelingSettings
from sociolect.settings.models import ScratchSfam, ScratchTokenizer
from sociolect.sfam.student import build_student

SENTENCES = ["The author uses red words.", "The author uses blue words.", "The author uses digits."]
N_BUCKETS = 5
SCRIPTS = Path(__file__).resolve().parents[2] / "workflow" / "scripts"


pytestmark = pytest.mark.usefixtures("one_thread")


class LengthScorer:
    """Scores by the length of the text; counts its calls."""

    def __init__(self, key: str = "v1", spoil: str | None = None) -> None:
        self.key, self.calls, self.spoil = key, 0, spoil

    def score(self, texts: Sequence[str], progress: Report | None = None) -> Scored:
        self.calls += 1
        scores = np.array([[1 / (1 + len(t)), 0.5, 1.0] for t in texts], dtype=np.float32)
        for row, text in enumerate(texts):
            if text == self.spoil:
                scores[row, 1] = np.nan
        return Scored(scores, n_truncated=1, n_empty=sum(not t for t in texts))


def answers(n: int = 40) -> pl.DataFrame:
    frame = pl.DataFrame({"answer_id": [f"i{i:02d}" for i in range(n)], "answer": ["x" * i for i in range(n)]})
    return frame.sort("answer_id")


def scorer(
    seed: int = 1,
    sentences: Sequence[str] = SENTENCES,
    max_tokens: int = 24,
    late: bool = True,
    student: bool = False,
    **settings: object,
) -> Scorer:
    tokenizer = train_tokenizer(["red blue green 7 9", *SENTENCES], ScratchTokenizer(kind="word", vocabulary=100))
    scratch = ScratchSfam(hidden=16, layers=2, heads=2, max_positions=64)
    teacher = build_deberta(scratch, tokenizer, max_tokens, 2, seed, late)
    given = LabelingSettings.model_validate({"tokens_per_batch": 256, **settings})
    if student:
        return StudentScorer(build_student(teacher, sentences, 12, seed), given)
    return CrossEncoderScorer(teacher, sentences, given)


def label(
    cache: Path, buckets: Sequence[int], frame: pl.DataFrame, labeller: Scorer, progress: Report | None = None
) -> tuple[Labelled, list[pl.DataFrame]]:
    frames: list[pl.DataFrame] = []
    # in pieces of 7 rows, as a table is streamed
    done = label_buckets(cache, buckets, N_BUCKETS, frame.iter_slices(7), labeller, frames.append, progress)
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


def test_only_what_changed_is_labelled_again(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other"])
def test_a_damaged_bucket_is_labelled_again(tmp_path: Path, damage: str) -> None:
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


def sample() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    words = ["red", "blue", "green", "7", "9"]
    rows = [" ".join(rng.choice(words, rng.integers(0, 40))) for _ in range(60)]
    return pl.DataFrame({"answer_id": [f"i{i:02d}" for i in range(60)], "answer": rows})


def streams(*arguments: object) -> subprocess.Popen[str]:
    """tests/unit/streams.py as a program."""
    path = os.pathsep.join([str(SCRIPTS), str(Path(__file__).parent)])
    command = [sys.executable, str(Path(__file__).with_name("streams.py")), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})


def test_a_run_that_is_killed_twenty_times_loses_and_repeats_nothing(tmp_path: Path) -> None:
    streams_of.label_all(tmp_path / "unbroken")
    rng = random.Random(5)
    counts = [0]
    for _ in range(20):
        process = streams("label", tmp_path / "broken")
        assert process.stdout is not None
        # one line for each bucket that lies there already, two for each that is scored
        for _ in range(counts[-1] + rng.randint(1, 4)):
            assert process.stdout.readline(), "it was done before it was killed"
        time.sleep(rng.uniform(0, 0.01))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        counts.append(len(list((tmp_path / "broken").glob("*.parquet"))))
    assert counts == sorted(counts) and 10 < counts[-1] < streams_of.N_BUCKETS, counts
    # a killed run leaves nothing that looks whole; the next one takes what is there and scores the rest
    assert not (tmp_path / "broken.shard").exists()
    resumed = streams_of.label_all(tmp_path / "broken")
    assert resumed.n_scored == streams_of.N_BUCKETS - counts[-1]
    assert resumed.n_answers == streams_of.N_BUCKETS * streams_of.PER_BUCKET
    assert (tmp_path / "broken.shard").read_bytes() == (tmp_path / "unbroken.shard").read_bytes()
    whole = {p.name: p.read_bytes() for p in (tmp_path / "unbroken").iterdir()}
    assert {n: (tmp_path / "broken" / n).read_bytes() for n in whole} == whole


def test_memory_stays_flat_however_long_the_table(tmp_path: Path) -> None:
    peak = {}
    for n in (4000, 40000):
        folder = tmp_path / str(n)
        folder.mkdir()
        process = streams("memory", folder, n)
        peak[n] = float(process.communicate()[0])
        assert process.returncode == 0
    # 36 000 rows more are 72 MB of vectors and 72 MB of text, each more than once if they were held
    assert peak[40000] < peak[4000] + 60, peak


def test_progress_is_reported_within_a_bucket(tmp_path: Path) -> None:
    said: list[tuple[int, int]] = []
    streams_of.label_all(tmp_path / "buckets", lambda done, total, message="": said.append((done, total)))
    n = streams_of.N_BUCKETS * streams_of.PER_BUCKET
    assert len(said) > 1.5 * streams_of.N_BUCKETS and said == sorted(said) and said[-1] == (n, n)


def test_what_is_not_a_probability_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"answer 'i05', attribute column 1: the score is nan"):
        label(tmp_path, range(N_BUCKETS), answers(), LengthScorer(spoil="x" * 5))
    assert not (tmp_path / f"{bucket_of(N_BUCKETS, 'i05'):05d}.parquet").exists()


@pytest.mark.parametrize("kind", [{"late": True}, {"late": False}, {"student": True}])
def test_scorers_take_empty_long_and_plain_texts(kind: dict[str, bool]) -> None:
    labeller = scorer(**kind)
    scored = labeller.score(["", "red blue 7", "red " * 200, "  "])
    assert scored.scores.shape == (4, 3) and scored.scores.dtype == np.float32
    assert scored.scores[0].tolist() == scored.scores[3].tolist() == [0.0, 0.0, 0.0]
    assert ((scored.scores[1:3] > 0) & (scored.scores[1:3] < 1)).all()
    assert (scored.n_truncated, scored.n_empty) == (1, 2)
    # what is cut is not read
    longer = labeller.score(["red " * 200 + "blue"]).scores[0]
    np.testing.assert_allclose(longer, scored.scores[2], atol=1e-6)
    assert labeller.score(["", " "]).scores.tolist() == [[0.0] * 3] * 2
    assert labeller.score([]).scores.shape == (0, 3)


@pytest.mark.parametrize("late", [True, False])
def test_scores_are_in_catalogue_order_and_alone_as_in_company(late: bool) -> None:
    texts = sample()["answer"].to_list()
    whole = scorer(late=late, tokens_per_batch=4096).score(texts).scores
    turned = scorer(late=late, tokens_per_batch=64, sentences=SENTENCES[::-1]).score(texts[::-1]).scores
    np.testing.assert_allclose(whole, turned[::-1, ::-1], atol=1e-5)
    assert whole.std(axis=0).min() > 1e-4


def test_keys_follow_what_decides_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    # on a device without bfloat16 both precisions are the same
    monkeypatch.setattr("sociolect.sfam.precision.has_bf16", lambda device: True)
    keys = [
        scorer(**change).key
        for change in (
            {},
            {"seed": 2},
            {"sentences": SENTENCES[::-1]},
            {"max_tokens": 25},
            {"tokens_per_batch": 512},
            {"precision": "bf16"},
            {"late": False},
            {"student": True},
            {"student": True, "sentences": SENTENCES[::-1]},
        )
    ]
    assert scorer().key == keys[0] and len(set(keys)) == len(keys)


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
    assert matrix(gathered["style"]).tolist() == np.float32([[ord(i) / 200] * 3 for i in "abcd"]).tolist()
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
