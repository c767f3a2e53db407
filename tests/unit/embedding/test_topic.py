"""Topic held still: made-up corpora whose groups are told by topic alone, by style alone, or not at all."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import check_table, vectors
from sociolect.common.schemas import TOPIC
from sociolect.embedding.accuracy import measure_groups
from sociolect.embedding.findings import topic_sentences
from sociolect.embedding.fit_data import fit_data
from sociolect.embedding.masking import mask_content
from sociolect.embedding.resampling import Resampled
from sociolect.embedding.topic import measure_topic, models_of, net_near, shared_groups
from sociolect.embedding.tuning import best_trial, tune
from sociolect.settings.embedding import EmbeddingSettings, ProfileSettings, TopicSettings

pytestmark = pytest.mark.usefixtures("one_thread")

GROUPS = ["art", "law", "med"]
FILLERS = {"art": "the very of", "law": "however not if", "med": "perhaps you all"}
CHEAP = EmbeddingSettings(
    n_trials=1, max_epochs=16, widths=(32,), dimensions=(8,), batch_sizes=(96,), dropout=(0.1, 0.1),
    learning_rate=(1e-2, 1e-2), distances=("euclidean",),
)  # fmt: skip
SETTINGS = TopicSettings(clusters=30, resamples=300)
TOPICS = 30


def corpus(by: str, n: int = 900) -> pl.DataFrame:
    """Answers to questions of thirty topics, each with words of its own.

    A group is told by its ten topics alone (`topic`), or by function words and style scores alone (`style`).
    """
    rng = np.random.default_rng(1)
    letters = np.array(list("bcdfghklmnprstvz"))
    words = [["".join(rng.choice(letters, 7)) for _ in range(4)] for _ in range(TOPICS)]
    of_topic, of_group = rng.normal(size=(TOPICS, 24)), rng.normal(size=(3, 24))
    rows, style = [], []
    for i in range(n):
        topic = i % TOPICS
        group = GROUPS[topic % 3 if by == "topic" else (i // TOPICS) % 3]
        about = " ".join(rng.permutation(words[topic])[:3])
        said = FILLERS[group] if by == "style" else " ".join(rng.choice(" ".join(FILLERS.values()).split(), 3))
        part = ("train", "train", "train", "val", "test")[(i // (3 * TOPICS)) % 5]
        rows.append((f"a{i:04d}", f"q{i:04d}", f"What of {about}?", f"{said} {about}", None, group, part, "single"))
        shift = of_topic[topic] if by == "topic" else of_group[GROUPS.index(group)]
        style.append(1 / (1 + np.exp(-(shift + 0.3 * rng.normal(size=24)))))
    names = ["answer_id", "question_id", "question", "answer", "author", "group", "part", "split"]
    frame = pl.DataFrame(rows, schema=names, orient="row", schema_overrides={"author": pl.String})
    return frame.with_columns(vectors(np.array(style), "style"))


def measured(frame: pl.DataFrame) -> pl.DataFrame:
    _, hyper, _ = best_trial(tune(fit_data(frame), CHEAP, run_seed=1), CHEAP)
    net = partial(net_near, hyper=hyper, embedding=CHEAP, profiles=ProfileSettings(), theta=0.5, seed=1)
    table = measure_topic(frame, models_of(frame, net), mask_content(frame["answer"].to_list()), SETTINGS, 1)
    return check_table(table, TOPIC, "topic")


@cache
def table_of(by: str) -> pl.DataFrame:
    return measured(corpus(by))


def test_groups_told_by_topic_words_alone_are_not_told_on_unseen_topics() -> None:
    models = table_of("topic").filter(pl.col("model").is_in(["net", "tfidf_logreg", "style_vector_logreg"]))
    for row in models.iter_rows(named=True):
        # each of thirty topics is told as one group or another: over corpora chance has a deviation of .065
        assert row["plain"] > 0.9 and abs(row["unseen"] - 0.5) < 0.15, row
        assert row["drop_low"] > 0.3 and row["kept_high"] < 0.4 and row["may_be_topic"]
    said = topic_sentences(table_of("topic"))
    assert sum("of its accuracy above chance on unseen topics: it may be topic." in line for line in said) >= 3
    probes = {row["model"]: row["accuracy"] for row in table_of("topic").iter_rows(named=True)}
    assert "The questions alone tell the groups to 1.00, on unseen topics to" in said[-1] and "so far" in said[-1]
    # the questions tell the group, what is left without content words does not
    assert probes["question"] > 0.95 and abs(probes["masked_text"] - 0.5) < 0.1


def test_groups_told_by_style_alone_are_told_on_unseen_topics_as_well() -> None:
    models = table_of("style").filter(pl.col("model").is_in(["net", "tfidf_logreg", "style_vector_logreg"]))
    for row in models.iter_rows(named=True):
        assert row["plain"] > 0.95 and row["kept"] > 0.95 and not row["may_be_topic"], row
    assert "style_vector_logreg keeps 1.00 [1.00, 1.00] of its" in " ".join(topic_sentences(table_of("style")))
    probes = {row["model"]: row["accuracy"] for row in table_of("style").iter_rows(named=True)}
    assert abs(probes["question"] - 0.5) < 0.1 and probes["masked_text"] > 0.8
    # each question has one answer
    assert set(table_of("style")["n_shared"]) == {0} and table_of("style")["shared"].null_count() == 7
    assert "several groups" in (table_of("style")["note"][0] or "")


def test_permuted_train_labels_give_chance_of_which_nothing_can_be_kept() -> None:
    frame = corpus("topic")
    is_train = (frame["part"] == "train").to_numpy()
    groups = frame["group"].to_numpy().copy()
    groups[is_train] = np.random.default_rng(3).permutation(groups[is_train])
    table = measured(frame.with_columns(pl.Series("group", groups, dtype=pl.String)))
    for row in table.filter(pl.col("kind") == "model").iter_rows(named=True):
        # each of thirty topics is told as one group or another, which deviates by .065
        assert abs(row["accuracy"] - 0.5) < 0.2 and abs(row["unseen"] - 0.5) < 0.2, row
    nothing = table.filter(pl.col("kept").is_null(), pl.col("kind") == "model")
    assert nothing.height >= 3
    assert "is not known: " in topic_sentences(nothing)[0] and "not above chance" in topic_sentences(nothing)[0]


def test_what_models_are_fitted_on_and_asked() -> None:
    frame = corpus("style", 450)
    fits: list[tuple[np.ndarray, np.ndarray]] = []

    def spy(fit: np.ndarray, asked: np.ndarray) -> np.ndarray:
        fits.append((fit, asked))
        return np.zeros((len(asked), 3))

    table = measure_topic(frame, {"spy": spy}, frame["answer"].to_list(), SETTINGS, 1)
    part = frame["part"].to_numpy()
    test = np.flatnonzero(part == "test")
    assert np.array_equal(fits[0][1], test) and "test" not in part[np.concatenate([fit for fit, _ in fits])]
    plain, unseen = fits[1:4], fits[4:]
    topic = np.array([question.split("?")[0] for question in frame["question"]])
    words = [set(text.split()[2:]) for text in topic]
    for (few, asked), (fit, same) in zip(plain, unseen, strict=True):
        assert np.array_equal(asked, same) and len(few) == len(fit) < len(fits[0][0])
        # a topic's words are its own: none of those asked about was seen
        assert not set().union(*(words[i] for i in fit)) & set().union(*(words[i] for i in asked))
    assert sorted(np.concatenate([asked for _, asked in unseen])) == test.tolist()
    # equal distances: the smaller name wins one way and loses the other
    assert table["accuracy"][0] == 0.5 and table["kept"][0] is None


def test_a_corpus_without_clusters_says_why() -> None:
    frame = corpus("style", 450).with_columns(question=pl.Series(["Why?", "Why not?"] * 225))
    table = measure_topic(frame, {"spy": lambda _, asked: np.zeros((len(asked), 3))}, ["x y"] * 450, SETTINGS, 1)
    row = table.row(0, named=True)
    assert row["plain"] is None and row["may_be_topic"] is None and "no words to cluster" in row["note"]
    assert "no words to cluster" in topic_sentences(table)[0]


def test_share_and_interval_by_hand() -> None:
    """Two questions, each answered by both groups: one is told on unseen topics, one is told the wrong way round."""
    questions, truth = np.array(["p", "p", "q", "q"]), np.array([0, 1, 0, 1])
    right, wrong = np.array([[0.0, 1], [1, 0]]), np.array([[1.0, 0], [0, 1]])
    plain, unseen = np.vstack([right, right]), np.vstack([right, wrong])
    found = Resampled(questions, truth, 2, 4000, 0.95, seed=1).kept(plain, unseen)
    assert (found["plain"], found["unseen"], found["kept"], found["drop"]) == (1.0, 0.5, 0.0, 0.5)
    # p twice in a quarter of the resamples, q twice in another: shares 1 and -1
    assert (found["kept_low"], found["kept_high"]) == (-1.0, 1.0)
    assert (found["plain_low"], found["unseen_low"], found["unseen_high"]) == (1.0, 0.0, 1.0)
    narrow = Resampled(questions, truth, 2, 4000, 0.4, seed=1).kept(plain, unseen)
    assert (narrow["kept_low"], narrow["kept_high"]) == (0.0, 0.0)
    # what is not told at all has nothing to keep
    assert "kept" not in Resampled(questions, truth, 2, 200, 0.95, seed=1).kept(unseen, plain)


def test_pairwise_is_that_of_the_accuracy_table() -> None:
    rng = np.random.default_rng(0)
    near, truth = rng.integers(0, 3, (200, 4)).astype(float), rng.integers(0, 4, 200)
    boot = Resampled(rng.integers(0, 50, 200).astype(str), truth, 4, 100, 0.95, seed=1)
    rows = measure_groups(near, truth, ["a", "b", "c", "d"])
    assert boot.pairwise(near)[0] == pytest.approx(next(r["value"] for r in rows if r["measure"] == "pairwise"))


def test_answers_to_shared_questions_are_compared_with_the_groups_that_answered() -> None:
    questions, truth = np.array(["p", "p", "q", "q", "r"]), np.array([0, 1, 0, 0, 2])
    shared = shared_groups(questions, truth, 3)
    assert shared.tolist() == [[False, True, False], [True, False, False], *[[False] * 3] * 3]
    # group 0 is told from 1 on the shared question, 1 from 0 is not; the rest would be all wrong
    near = np.array([[1.0, 2, 0], [1, 2, 0], [3, 1, 1], [3, 1, 1], [0, 0, 1]])
    found = Resampled(questions, truth, 3, 100, 0.95, seed=1).figures("shared", near, shared)
    assert found["shared"] == 0.5
