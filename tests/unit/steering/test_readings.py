"""What is read of answers: against a direct reading of the model, and who is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from made_tables import make, samples
from sociolect.common.artifacts import check_table, matrix
from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.schemas import READINGS
from sociolect.lm.hooks import read_blocks
from sociolect.lm.requests import Request, Result
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import Wording, open_wording
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.steering import ReadingSettings
from sociolect.steering.readings import KINDS, AnswerReader, draw_answers, pool_of, readings_table
from tiny_models import tiny_reader

torch.set_num_threads(1)
SAID = "you use dots . it is not the beer that we brew"
ROWS = pl.DataFrame(
    [
        ("a1", "it is beer ?", "we brew the beer .", "x"),
        ("a2", "is it the beer ?", "not we .", "y"),
        ("a3", "beer ?", "you brew . we use the dots .", "x"),
    ],
    schema=["answer_id", "question", "answer", "group"],
    orient="row",
)
STYLES = {"x": ["dots"], "y": ["the beer", "dots"]}


class Echo:
    """Stands for the model where it answers: it says what it is told to, in the order of the requests' ids."""

    def __init__(self, reader: TransformersBackend, said: Sequence[str]) -> None:
        self.model, self.said, self.asked = reader.model, said, list[Request]()

    def generate(self, requests: Sequence[Request], progress: Report | None = None) -> Iterator[Result]:
        self.asked = sorted(requests, key=lambda r: r.id)
        for request, text in reversed(list(zip(self.asked, self.said, strict=True))):
            yield Result(request.id, (), text, "stop")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> TransformersBackend:
    return tiny_reader(tmp_path_factory.mktemp("lm"), SAID)


@pytest.fixture(scope="module", params=["chat", "document"])
def wording(request: pytest.FixtureRequest, reader: TransformersBackend) -> Wording:
    return open_wording(reader.tokenizer, request.param)


def answer_reader(reader: Any, wording: Wording, pool: Sequence[str] = (), **settings: Any) -> AnswerReader:
    return AnswerReader(
        reader, wording, pool, STYLES, ReadingSettings(**{"batch_tokens": 100, **settings}), GenerationSettings(), 1
    )


@torch.inference_mode()
def directly(reader: TransformersBackend, ids: Sequence[int], positions: Sequence[int]) -> np.ndarray:
    """Mean over these positions of one sequence by itself, [L, d]."""
    with read_blocks(reader.model, range(3)) as seen:
        reader.model(input_ids=torch.tensor([list(ids)]))
    return np.stack([seen[layer][0, list(positions)].mean(dim=0).numpy() for layer in range(3)])


def prompt(wording: Wording, row: int, kind: str = "question") -> str:
    question, group = ROWS.select("question", "group").row(row)
    return wording.render(kind, question, group, STYLES[group])


def test_an_answer_is_read_over_its_tokens_after_its_question(reader: TransformersBackend, wording: Wording) -> None:
    found = answer_reader(reader, wording).answers(ROWS)
    short = answer_reader(reader, wording, max_tokens=2).answers(ROWS)
    assert found.shape == (3, 3, 32)
    for row, answer in enumerate(ROWS["answer"]):
        ((head, body),) = wording.continuations([prompt(wording, row)], [answer])
        n, ids = len(head), [*head, *body]
        assert len(body) > 2
        assert np.allclose(found[row], directly(reader, ids, range(n, len(ids))), atol=1e-4)
        # what lies beyond the limit is not read
        assert np.allclose(short[row], directly(reader, ids, (n, n + 1)), atol=1e-4)


def test_an_empty_answer_is_read_where_it_would_begin(reader: TransformersBackend, wording: Wording) -> None:
    found = answer_reader(reader, wording).answers(ROWS.with_columns(answer=pl.lit("")))
    for row in range(3):
        ids = wording.encode(prompt(wording, row))
        assert np.allclose(found[row], directly(reader, ids, [len(ids) - 1]), atol=1e-4)


def test_a_question_is_read_without_the_token_that_begins_every_text(
    reader: TransformersBackend, wording: Wording
) -> None:
    found = answer_reader(reader, wording).questions(ROWS)
    for row in range(3):
        ids = wording.encode(prompt(wording, row))
        assert ids[0] == reader.tokenizer.bos_token_id and ids.count(ids[0]) == 1
        assert np.allclose(found[row], directly(reader, ids, range(1, len(ids))), atol=1e-4)


def test_style_and_content_are_read_without_the_question(reader: TransformersBackend, wording: Wording) -> None:
    def alone(text: str) -> np.ndarray:
        # after a line break, so that the first token of a sequence is never the text's
        ids = wording.encode(f"\n{text}", rendered=False)
        return directly(reader, ids, range(1, len(ids)))

    made = answer_reader(reader, wording, pool=["dots"])
    other = ROWS.with_columns(question=pl.lit("beer ?"))
    assert np.array_equal(made.replaced(ROWS), made.replaced(other))
    # with one word to draw from the text is known
    assert np.allclose(made.replaced(ROWS)[0], alone("we dots the dots ."), atol=1e-4)
    assert np.allclose(made.replaced(ROWS)[1], alone("not we ."), atol=1e-4)
    content = made.content(ROWS)
    assert np.allclose(content[0], alone("brew beer"), atol=1e-4) and np.allclose(
        content[2], alone("brew use dots"), atol=1e-4
    )
    # an answer of function words alone is about nothing
    assert np.isfinite(content[1]).all()


def test_a_human_answer_that_is_the_model_s_own_leaves_nothing(reader: TransformersBackend, wording: Wording) -> None:
    same = Echo(reader, ROWS["answer"].to_list())
    assert not answer_reader(same, wording).human_minus_model(ROWS).any()
    assert [request.prompt_token_ids for request in same.asked] == [
        tuple(wording.encode(prompt(wording, row))) for row in range(3)
    ]
    assert len({request.seed for request in same.asked}) == 3 and same.asked[0].stop == wording.stop
    other = ["it is .", "", "the beer"]
    plain = answer_reader(reader, wording)
    expected = plain.answers(ROWS) - plain.answers(ROWS.with_columns(answer=pl.Series(other)))
    assert np.allclose(answer_reader(Echo(reader, other), wording).human_minus_model(ROWS), expected, atol=1e-5)


def test_prompts_differ_at_their_last_token_by_the_attributes_that_they_name(
    reader: TransformersBackend, wording: Wording
) -> None:
    found = answer_reader(reader, wording).prompted_minus_plain(ROWS)
    for row in range(3):
        ends = []
        for kind in ("question+attributes", "question"):
            ids = wording.encode(prompt(wording, row, kind))
            ends.append(directly(reader, ids, [len(ids) - 1]))
        assert np.allclose(found[row], ends[0] - ends[1], atol=1e-4) and abs(found[row]).max() > 1e-3
    # what an answer says does not matter
    again = answer_reader(reader, wording).prompted_minus_plain(ROWS.with_columns(answer=pl.lit("it")))
    assert np.array_equal(again, found)


def drawable() -> pl.DataFrame:
    return samples(
        make("ax", "x", "train", 20)
        + make("ay", "y", "train", 11)
        + make("az", "z", "train", 1)
        + make("vx", "x", "val", 5)
    )


def test_answers_are_drawn_by_hash_whatever_the_order_of_rows_and_dealt_to_folds() -> None:
    frame = drawable()
    drawn = draw_answers(frame, ["x", "y"], 10, 4)
    back = draw_answers(pl.concat([frame, frame]).sample(fraction=1, shuffle=True, seed=4), ["y", "x"], 10, 4)
    assert back.equals(drawn)
    assert drawn["group"].to_list() == ["x"] * 10 + ["y"] * 10 and drawn["answer_id"].str.starts_with("a").all()
    assert drawn["fold"].to_list() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1] * 2
    # fewer are the first of them
    assert draw_answers(frame, ["x", "y"], 5, 4).equals(drawn.filter(pl.int_range(pl.len()).over("group") < 5))
    assert drawn["answer_id"].to_list() != sorted(drawn["answer_id"])


def test_few_answers_make_few_folds_for_all_groups_and_too_few_none() -> None:
    frame = drawable().filter((pl.col("group") != "y") | pl.col("answer_id").is_in(["ay0", "ay1", "ay2"]))
    drawn = draw_answers(frame, ["x", "y"], 10, 8)
    assert drawn.group_by("group").agg(pl.col("fold").max()).sort("group").rows() == [("x", 2), ("y", 2)]
    for names, message in (
        (["x", "z"], "'z' has train answers of 1"),
        (["x", "none"], "'none' has train answers of 0"),
    ):
        with pytest.raises(InputError, match=f"group {message} authors to read; at least 2 are needed"):
            draw_answers(frame, names, 10, 8)


def test_an_author_s_answers_and_those_to_a_question_without_author_are_in_one_fold() -> None:
    frame = drawable().filter(pl.col("group") == "x")
    number = pl.int_range(pl.len())
    frame = frame.with_columns(
        author=pl.when(number < 6).then(pl.format("u{}", number // 2)),
        question_id=pl.when(number < 6).then(pl.format("q{}", number)).otherwise(pl.format("r{}", number // 2)),
    )
    drawn = draw_answers(frame, ["x"], 10, 4).join(
        frame.select("answer_id", "author"), on="answer_id", maintain_order="left"
    )
    unit = pl.coalesce("author", "question_id").alias("unit")
    folds = drawn.group_by(unit).agg(pl.col("fold").n_unique(), pl.len())
    assert set(folds["fold"]) == {1} and folds["len"].max() == 2
    assert sorted(drawn["fold"].unique()) == [0, 1, 2, 3] == sorted(drawn["fold"].head(4))


def test_means_of_folds_by_hand_and_pairs_of_few_answers_that_are_in_every_fold() -> None:
    drawn = draw_answers(drawable(), ["x", "y"], 10, 4)

    def read(rows: pl.DataFrame) -> np.ndarray:
        """The number of each answer at block 0, and its double at block 1."""
        number = rows["answer_id"].str.extract(r"(\d+)").cast(pl.Float64).to_numpy()
        return np.stack([number, 2 * number], axis=1)[:, :, None].repeat(3, axis=2)

    table = readings_table(drawn, ["answers", "human_minus_model"], {"answers": read, "human_minus_model": read}, 2)
    check_table(table, READINGS, "test")
    number = pl.col("answer_id").str.extract(r"(\d+)").cast(pl.Float64)
    mean = drawn.filter((pl.col("group") == "y") & (pl.col("fold") == 1)).select(number.mean()).item()
    cell = table.filter((pl.col("kind") == "answers") & (pl.col("group") == "y") & (pl.col("fold") == 1)).sort("layer")
    assert np.allclose(matrix(cell["vector"]), [[mean] * 3, [2 * mean] * 3]) and cell["n"].to_list() == [3, 3]
    counts = table.filter(pl.col("layer") == 0).group_by("kind", "group").agg(pl.col("n").sum(), pl.len())
    # two pairs were asked for, and four folds want one each
    assert dict(zip(counts["kind"], counts["n"], strict=True)) == {"answers": 10, "human_minus_model": 4}
    assert set(counts["len"]) == {4}


def test_every_kind_has_its_reader() -> None:
    assert all(callable(getattr(AnswerReader, kind)) for kind in KINDS)


def test_words_are_drawn_from_train_answers_as_many_of_each_group() -> None:
    # the group whose answers have fewest content words says how many
    rows = [("a2", "x", "train", "The Ale, of it."), ("a1", "x", "train", "Brew, brew; and brew!")]
    rows += [("a3", "y", "train", "Bread is the bread."), ("v1", "x", "val", "Oven.")]
    frame = pl.DataFrame(rows, schema=["answer_id", "group", "part", "answer"], orient="row")
    assert pool_of(frame) == pool_of(frame.reverse()) == ["brew", "brew", "bread", "bread"]
    assert pool_of(frame.filter(pl.col("group") == "x")) == ["brew", "brew", "brew", "ale"]
    # from all over a group's answers
    more = pl.concat([frame, frame.filter(pl.col("answer_id") == "a2").with_columns(answer_id=pl.lit("a0"))])
    assert pool_of(more) == ["ale", "brew", "bread", "bread"]
