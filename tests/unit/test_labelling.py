"""Labelling: resumable buckets, shards that only group them, and a gather that misses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from sociolect.agreement.model import encode_attributes, encode_texts
from sociolect.artifacts import matrix, vectors, write_table
from sociolect.errors import InputError
from sociolect.labelling import (
    CrossEncoderScorer,
    Report,
    Scored,
    gather_shards,
    label_buckets,
    read_texts,
    score_pairs,
)
from sociolect.pieces import bucket_of, buckets_of_shard
from sociolect.schemas import LABELS
from sociolect.scratch.deberta import build_deberta
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings import ScratchSfam, ScratchTokenizer

SENTENCES = ["The author uses red words.", "The author uses blue words.", "The author uses digits."]
N_BUCKETS = 5
SCRIPTS = Path(__file__).resolve().parents[2] / "workflow" / "scripts"


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


def scorer() -> CrossEncoderScorer:
    tokenizer = train_tokenizer(["red blue green 7 9", *SENTENCES], ScratchTokenizer(kind="word", vocabulary=100))
    settings = ScratchSfam(hidden=16, layers=2, heads=2, max_positions=64)
    return CrossEncoderScorer(build_deberta(settings, tokenizer, 24, 2, seed=1), SENTENCES, 256)


def content(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def test_another_number_of_shards_labels_nothing_again(tmp_path: Path) -> None:
    first = LengthScorer()
    done = [label_buckets(tmp_path, buckets_of_shard(f"{i}/2", N_BUCKETS), N_BUCKETS, answers(), first) for i in (1, 2)]
    assert sum(d.n_scored for d in done) == first.calls == N_BUCKETS
    again = LengthScorer()
    shards = [
        label_buckets(tmp_path, buckets_of_shard(f"{i}/3", N_BUCKETS), N_BUCKETS, answers(), again) for i in (1, 2, 3)
    ]
    assert again.calls == 0
    ids = sorted(i for d in shards for f in d.frames for i in f["answer_id"])
    assert ids == answers()["answer_id"].to_list()
    assert sum(d.n_empty for d in shards) == 1 and sum(d.n_truncated for d in shards) == N_BUCKETS


def test_only_what_changed_is_labelled_again(tmp_path: Path) -> None:
    everything = range(N_BUCKETS)
    label_buckets(tmp_path, everything, N_BUCKETS, answers(), LengthScorer())
    before = content(tmp_path)
    # one text changed: its bucket alone
    edited = answers().with_columns(
        answer=pl.when(pl.col("answer_id") == "i07").then(pl.lit("new")).otherwise(pl.col("answer"))
    )
    assert label_buckets(tmp_path, everything, N_BUCKETS, edited, LengthScorer()).n_scored == 1
    changed = {name for name, data in content(tmp_path).items() if data != before[name]}
    assert changed == {f"{bucket_of(N_BUCKETS, 'i07'):05d}.parquet"}
    # another model: all
    assert label_buckets(tmp_path, everything, N_BUCKETS, edited, LengthScorer("v2")).n_scored == N_BUCKETS


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other"])
def test_a_damaged_bucket_is_labelled_again(tmp_path: Path, damage: str) -> None:
    everything = range(N_BUCKETS)
    label_buckets(tmp_path, everything, N_BUCKETS, answers(), LengthScorer())
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
    assert label_buckets(tmp_path, everything, N_BUCKETS, answers(), LengthScorer()).n_scored == 1
    assert content(tmp_path) == whole


KILLED = """
import sys, time
sys.path[:0] = [{scripts!r}, {tests!r}]
from pathlib import Path
import torch
torch.set_num_threads(1)
from test_labelling import N_BUCKETS, scorer, sample
from sociolect.labelling import label_buckets
def slow(done, total):
    print(done, flush=True)
    time.sleep(0.5)
label_buckets(Path(sys.argv[1]), range(N_BUCKETS), N_BUCKETS, sample(), scorer(), slow)
"""


def sample() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    words = ["red", "blue", "green", "7", "9"]
    rows = [" ".join(rng.choice(words, rng.integers(0, 40))) for _ in range(60)]
    return pl.DataFrame({"answer_id": [f"i{i:02d}" for i in range(60)], "answer": rows})


def test_a_killed_run_is_resumed_to_the_same_bytes(tmp_path: Path) -> None:
    label_buckets(tmp_path / "unbroken", range(N_BUCKETS), N_BUCKETS, sample(), scorer())
    code = KILLED.format(scripts=str(SCRIPTS), tests=str(Path(__file__).parent))
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "broken")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    half = content(tmp_path / "broken")
    whole = content(tmp_path / "unbroken")
    assert 2 <= len([n for n in half if n.endswith(".parquet")]) < N_BUCKETS
    started = time.monotonic()
    done = label_buckets(tmp_path / "broken", range(N_BUCKETS), N_BUCKETS, sample(), scorer())
    assert time.monotonic() - started < 20
    assert done.n_scored == N_BUCKETS - len([n for n in half if n in whole])
    resumed = content(tmp_path / "broken")
    assert {n: resumed[n] for n in whole} == whole


def test_what_is_not_a_probability_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"answer 'i05', attribute column 1: the score is nan"):
        label_buckets(tmp_path, range(N_BUCKETS), N_BUCKETS, answers(), LengthScorer(spoil="x" * 5))
    assert not (tmp_path / f"{bucket_of(N_BUCKETS, 'i05'):05d}.parquet").exists()


def test_cross_encoder_scores_empty_long_and_plain_texts() -> None:
    labeller = scorer()
    scored = labeller.score(["", "red blue 7", "red " * 200, "  "])
    assert scored.scores.shape == (4, 3) and scored.scores.dtype == np.float32
    assert scored.scores[0].tolist() == scored.scores[3].tolist() == [0.0, 0.0, 0.0]
    assert ((scored.scores[1:3] > 0) & (scored.scores[1:3] < 1)).all()
    assert (scored.n_truncated, scored.n_empty) == (1, 2)
    # what is cut is not read
    longer = labeller.score(["red " * 200 + "blue"]).scores[0]
    np.testing.assert_allclose(longer, scored.scores[2], atol=1e-6)


def test_scores_are_in_catalogue_order_and_alone_as_in_company() -> None:
    tokenizer = train_tokenizer(["red blue green 7 9", *SENTENCES], ScratchTokenizer(kind="word", vocabulary=100))
    agreement = build_deberta(ScratchSfam(hidden=16, heads=2, max_positions=64), tokenizer, 24, 2, seed=1)
    texts = sample()["answer"].to_list()
    whole = score_pairs(agreement, encode_texts(agreement, texts), encode_attributes(agreement, SENTENCES), 4096)
    turned = score_pairs(
        agreement, encode_texts(agreement, texts[::-1]), encode_attributes(agreement, SENTENCES[::-1]), 64
    )
    np.testing.assert_allclose(whole, turned[::-1, ::-1], atol=1e-5)
    assert whole.std(axis=0).min() > 1e-4


def test_keys_follow_what_decides_a_score() -> None:
    tokenizer = train_tokenizer(["red blue", *SENTENCES], ScratchTokenizer(kind="word", vocabulary=100))
    settings = ScratchSfam(hidden=16, heads=2, max_positions=64)

    def key(seed: int = 1, sentences: Sequence[str] = SENTENCES, max_tokens: int = 24, budget: int = 256) -> str:
        return CrossEncoderScorer(build_deberta(settings, tokenizer, max_tokens, 2, seed), sentences, budget).key

    assert key() == key()
    assert len({key(), key(seed=2), key(sentences=SENTENCES[::-1]), key(max_tokens=25), key(budget=512)}) == 5


def shard(path: Path, ids: list[str], width: int = 3) -> Path:
    scores = np.full((len(ids), width), 0.5)
    write_table(pl.DataFrame({"answer_id": ids, "style": vectors(scores, "style")}), path, LABELS)
    return path


def test_gather_takes_every_answer_exactly_once(tmp_path: Path) -> None:
    one, two = shard(tmp_path / "1.parquet", ["b", "d"]), shard(tmp_path / "2.parquet", ["c", "a"])
    gathered = gather_shards([one, two], ["a", "b", "c", "d"], 3)
    assert gathered["answer_id"].to_list() == ["a", "b", "c", "d"]
    assert matrix(gathered["style"]).shape == (4, 3)
    with pytest.raises(InputError, match="'d' is in no shard"):
        gather_shards([two, shard(tmp_path / "3.parquet", ["b"])], ["a", "b", "c", "d"], 3)
    with pytest.raises(InputError, match=r"'b' is there twice, in .*1\.parquet and .*3\.parquet"):
        gather_shards([one, two, tmp_path / "3.parquet"], ["a", "b", "c", "d"], 3)
    with pytest.raises(InputError, match="'d'"):
        gather_shards([one, two], ["a", "b", "c"], 3)
    with pytest.raises(InputError, match="3 scores per answer, the catalogue has 4"):
        gather_shards([one, two], ["a", "b", "c", "d"], 4)


def test_read_texts_names_and_sorts(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"request_id": ["b", "a"], "text": ["B", "A"], "more": [1, 2]}).write_parquet(path)
    assert read_texts(path, "request_id", "text").rows() == [("a", "A"), ("b", "B")]
    assert read_texts(path, "request_id", None).columns == ["answer_id"]
    with pytest.raises(InputError, match="'answer'"):
        read_texts(path, "request_id", "answer")
