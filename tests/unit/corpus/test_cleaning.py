"""Import and cleaning: every rule is counted, ambiguous rows are refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from raw_tables import ANY_LENGTH, GOOD, HEADER, put, refuse, table, write

from sociolect.common.errors import InputError
from sociolect.corpus.cleaning import BLANK, EXCLUSIONS, REPAIRS, UNKNOWN, clean_corpus, import_corpus
from sociolect.corpus.columns import COLUMNS
from sociolect.settings.corpus import CorpusSettings


@pytest.mark.parametrize("extension", [".parquet", ".csv", ".jsonl"])
def test_all_formats_and_orders_of_rows_give_the_same_corpus(tmp_path: Path, extension: str) -> None:
    frame = GOOD.reverse().with_columns(extra=pl.lit("x")).select("extra", *reversed(COLUMNS))
    corpus, _, _ = import_corpus(write(frame, tmp_path / f"t{extension}"), "single", ANY_LENGTH)
    assert corpus.equals(GOOD.sort("answer_id"), null_equal=True)
    assert corpus.columns == list(COLUMNS)


def test_ids_become_text_and_keep_their_zeros(tmp_path: Path) -> None:
    numbers = GOOD.with_columns(
        answer_id=pl.Series([30, 4, 12]), author=pl.Series([None, 7.0, 8.0]), group=pl.Series([1, 2, 2], dtype=pl.Int8)
    )
    corpus, _, _ = import_corpus(write(numbers, tmp_path / "t.parquet"), "single", ANY_LENGTH)
    assert corpus["answer_id"].to_list() == ["12", "30", "4"]
    assert corpus["author"].to_list() == ["8", None, "7"]
    assert corpus["group"].to_list() == ["2", "1", "2"]
    path = put(tmp_path / "t.csv", f'{HEADER}\n007,Q,01,"A, ""b""\r\nc",,g\n')
    assert import_corpus(path, "single", ANY_LENGTH)[0].row(0) == ("007", "Q", "01", 'A, "b"\nc', None, "g")


def test_without_the_author_column_all_authors_are_null(tmp_path: Path) -> None:
    corpus, _, _ = import_corpus(write(GOOD.drop("author"), tmp_path / "t.csv"), "single", ANY_LENGTH)
    assert corpus["author"].null_count() == 3


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    for extension in (".csv", ".jsonl"):
        path = write(GOOD, tmp_path / f"t{extension}")
        put(path, b"\xef\xbb\xbf" + path.read_bytes())
        assert import_corpus(path, "single", ANY_LENGTH)[0].height == 3


@pytest.mark.parametrize("column", ["question_id", "question", "answer_id", "group"])
@pytest.mark.parametrize("value", [None, "  "])
def test_empty_required_fields_are_refused_by_row(tmp_path: Path, column: str, value: str | None) -> None:
    rows = GOOD.to_dicts()
    rows[2][column] = value
    path = write(pl.DataFrame(rows, schema=GOOD.schema), tmp_path / "t.parquet")
    refuse(path, f"row 3, column '{column}'", "the field is empty", "take the row out")


def test_ambiguous_ids_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    refuse(write(pl.concat([GOOD, GOOD[1]]), path), "answer_id 'a1' repeats (rows 2 and 4; 1 such ids)")
    moved = GOOD[1].with_columns(group=pl.lit("physics"))
    refuse(write(pl.concat([GOOD, moved]), path), "answer_id 'a1' is in two groups, 'biology' and 'physics'")
    other = GOOD[2].with_columns(question=pl.lit("What?"))
    refuse(write(pl.concat([GOOD[:2], other]), path), "question_id 'q1' has two texts, in row 2 and row 3")


def test_all_faults_of_a_table_are_told_at_once(tmp_path: Path) -> None:
    rows = [*GOOD.rows(), ("q1", "What?", "a3", "Another.", None, "physics"), (None, "Who?", "a4", "We.", None, "law")]
    with pytest.raises(InputError) as caught:
        import_corpus(write(table(*rows), tmp_path / "t.parquet"), "single", ANY_LENGTH)
    told = [line.partition("t.parquet: ")[2].partition(";")[0] for line in str(caught.value).splitlines()]
    assert told == [
        "row 5, column 'question_id': the field is empty (1 such rows)",
        "answer_id 'a3' repeats (rows 1 and 4",
        "question_id 'q1' has two texts, in row 2 and row 4",
    ]


def test_a_question_that_differs_in_repairs_only_has_one_text(tmp_path: Path) -> None:
    same = GOOD[2].with_columns(question=pl.lit(" How?\r\n"))
    assert import_corpus(write(pl.concat([GOOD[:2], same]), tmp_path / "t.csv"), "s", ANY_LENGTH)[0].height == 3


def test_repairs_by_hand() -> None:
    raw = table(
        ("q", "Q\u00a0x", "a1", "one\r\ntwo\rthree\u2028four", None, "g"),
        ("q", "Q x", "a2", "10\u202f000\u00a0km\tfar", None, "g"),
        ("q", "Q x", "a3", "\ufeffbe\x07ll \u200bso\u00adft\x00", None, "g"),
        ("q", "Q x", "a4", "e\u200b\u0301t\u00e9 ", None, "g"),
        ("q", "Q x", "a5", "as it is", None, "g"),
    )
    corpus, funnel = clean_corpus(raw, "multi", ANY_LENGTH, "t")
    assert corpus["answer"].to_list() == [
        "one\ntwo\nthree\nfour",
        "10 000 km\tfar",
        "bell soft",
        "\u00e9t\u00e9",
        "as it is",
    ]
    assert corpus["question"].unique().to_list() == ["Q x"]
    changed = dict(funnel.select("rule", "n_removed").iter_rows())
    assert [changed[rule] for rule in REPAIRS] == [1, 2, 2, 1, 1, 0]
    # repaired text needs no repair
    _, again = clean_corpus(corpus, "multi", ANY_LENGTH, "t")
    assert again["n_removed"].sum() == 0
    assert again["rule"].to_list() == ["read", BLANK, *REPAIRS, UNKNOWN, *EXCLUSIONS]


def test_exclusions_are_listed_and_the_smallest_duplicate_stays() -> None:
    raw = table(
        ("q", "Q", "d9", "the same text", None, "g"),
        ("q", "Q", "d1", "the same\u00a0text", None, "g"),
        ("q", "Q", "d5", "the same text", None, "other"),
        ("q", "Q", "e1", None, None, "g"),
        ("q", "Q", "e2", " \x00\n", None, "g"),
        ("q", "Q", "s1", "1234", None, "g"),
        ("q", "Q", "k1", "12345", None, "g"),
        ("q", "Q", "k2", "x" * 20, None, "g"),
        ("q", "Q", "l1", "x" * 21, None, "g"),
    )
    settings = CorpusSettings(min_chars=5, max_chars=20)
    corpus, funnel = clean_corpus(raw, "single", settings, "t")
    assert corpus["answer_id"].to_list() == ["d1", "d5", "k1", "k2"]
    listed = funnel.filter(pl.col("rule").is_in(EXCLUSIONS)).select("rule", "n_removed", "n_left", "example").rows()
    assert listed == [
        ("empty", 2, 7, "e1"),
        ("too short", 1, 6, "s1"),
        ("too long", 1, 5, "l1"),
        ("duplicate in its group", 1, 4, "d9"),
    ]
    assert clean_corpus(raw.reverse(), "single", settings, "t")[0].equals(corpus)


def test_blank_rows_are_counted_and_keep_the_numbers_of_the_others(tmp_path: Path) -> None:
    blank = table((None,) * 6, ("",) * 6)
    for path in (tmp_path / "t.csv", tmp_path / "t.parquet"):
        corpus, funnel, _ = import_corpus(write(pl.concat([GOOD[:1], blank, GOOD[1:]]), path), "single", ANY_LENGTH)
        assert corpus.height == 3
        assert funnel.select("rule", "n_removed", "n_left").rows()[:2] == [("read", 0, 5), ("blank row", 2, 3)]
        other = GOOD[2].with_columns(question=pl.lit("What?"))
        refuse(write(pl.concat([blank, GOOD[:2], other]), path), "in row 4 and row 5")


def test_placeholders_of_authors_mean_unknown_and_are_counted(tmp_path: Path) -> None:
    names = ["NA", "nan", "None", "", "null", "[deleted]", "u1", "u1", "Nan B.", "u2"]
    raw = table(*(("q", "Q", f"a{n}", f"text {n}", name, "g" if n < 9 else "h") for n, name in enumerate(names)))
    corpus, funnel, notes = import_corpus(write(raw, tmp_path / "t.csv"), "single", ANY_LENGTH)
    assert corpus["author"].to_list() == [None] * 6 + ["u1", "u1", "Nan B.", "u2"]
    assert dict(funnel.select("rule", "n_removed").iter_rows())[UNKNOWN] == 5
    assert notes == [
        "unknown authors: 'NA' 1, 'None' 1, '[deleted]' 1, 'nan' 1, 'null' 1 (corpus.missing_values)",
        # two of nine
        "author 'u1' wrote 2 of the 9 answers of group 'g'",
        "author 'u2' wrote 1 of the 1 answers of group 'h'",
    ]
    own = CorpusSettings(min_chars=0, missing_values=("u1",))
    assert import_corpus(tmp_path / "t.csv", "single", own)[0]["author"].to_list()[:3] == ["NA", "nan", "None"]


def test_an_unknown_author_with_a_mark_that_shows_nothing_is_no_person(tmp_path: Path) -> None:
    names = ["NA", "NA\u200b", "N\u00adA", "\ufeffNA", "[deleted\x07]", "u\u200b1"]
    raw = table(*(("q", "Q", f"a{n}", f"text {n}", name, "g") for n, name in enumerate(names)))
    corpus, funnel, notes = import_corpus(write(raw, tmp_path / "t.parquet"), "single", ANY_LENGTH)
    assert corpus["author"].to_list() == [None] * 5 + ["u1"]
    counted = dict(funnel.select("rule", "n_removed").iter_rows())
    assert (counted[UNKNOWN], counted["control characters"]) == (5, 5)
    assert notes == ["unknown authors: 'NA' 4, '[deleted]' 1 (corpus.missing_values)"]


def test_a_group_that_stands_for_a_missing_value_is_refused(tmp_path: Path) -> None:
    raw = pl.concat([GOOD, GOOD[:1].with_columns(answer_id=pl.lit("b1"), group=pl.lit("NULL"))])
    refuse(write(raw, tmp_path / "t.csv"), "row 4, column 'group': 'NULL' stands for", "off corpus.missing_values")
    named = CorpusSettings(min_chars=0, missing_values=())
    assert set(import_corpus(tmp_path / "t.csv", "single", named)[0]["group"]) == {"physics", "biology", "NULL"}


def test_nothing_left_is_an_error_with_the_counts() -> None:
    with pytest.raises(InputError, match=r"no answer is left of 3 \(empty: 0, too short: 3, .*corpus.min_chars"):
        clean_corpus(GOOD, "single", CorpusSettings(min_chars=100), "t")


def test_spellings_of_a_group_are_one_where_only_blanks_differ_and_refused_else(tmp_path: Path) -> None:
    spelled = ("home office", " home  office", "home\u00a0office", "home\u200b office", "home\toffice")
    rows = [(f"q{i}", f"Q {i}?", f"a{i}", f"Answer {i}.", "A  B", group) for i, group in enumerate(spelled)]
    corpus, funnel, _ = import_corpus(write(table(*rows), tmp_path / "t.parquet"), "s", ANY_LENGTH)
    assert set(corpus["group"]) == {"home office"} and set(corpus["author"]) == {"A B"}
    counted = dict(funnel.select("rule", "n_removed").iter_rows())
    # the reader takes outer blanks off; all authors have two blanks
    assert (counted["spaces"], counted["control characters"], counted["blanks in ids"]) == (1, 1, 5)
    other = table(*rows, ("q9", "Q 9?", "a9", "Answer 9.", None, "Home_Office"))
    refuse(write(other, tmp_path / "u.csv"), "column 'group': 'Home_Office' (1 answers) and 'home office' (5 answers)")


def test_an_id_of_invisible_characters_is_empty(tmp_path: Path) -> None:
    rows = [("q", "Q?", "a1", "One.", "\u200b", "g"), ("q", "Q?", "a2", "Two.", "\u200b", "g")]
    corpus, _, _ = import_corpus(write(table(*rows), tmp_path / "t.parquet"), "s", ANY_LENGTH)
    assert corpus["author"].null_count() == 2
    refuse(write(table((*rows[0][:5], "\u200b")), tmp_path / "u.parquet"), "column 'group': the field is empty")
