"""The work: texts of the real lengths, and what a pair costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sociolect.common.errors import InputError
from workload import LENGTHS, Shape, make_block, pair_flop, read_block


def test_flop_of_a_pair_by_hand() -> None:
    # a block, per token: 4 x 4x4 of attention, 2 x 4x8 of the net, 4 products of width 4 with 3 tokens
    per_token = 4 * 16 + 2 * 32 + 4 * 4 * 3
    assert pair_flop(Shape(hidden=4, layers=2, heads=2, intermediate=8), length=3) == 2 * (2 * 3 * per_token + 4 * 4)


def test_texts_have_the_real_lengths() -> None:
    tokenizer, block = make_block(100, 8, 5, 512)
    # the first attribute has 6 tokens, and there are 3 special ones
    assert np.median(block.lengths[:, 0] - 9) == pytest.approx(LENGTHS[10], abs=3) and block.lengths.max() == 512
    ids = tokenizer("The author uses X.", block.answers[50])["input_ids"]
    assert ids[0] == tokenizer.cls_token_id and ids.count(tokenizer.sep_token_id) == 2
    assert set(make_block(2, 8, 2, 512, tokens=256)[1].lengths.ravel()) == {256}


def test_texts_of_a_table_are_cut_so_that_nobody_cuts(tmp_path: Path) -> None:
    file = tmp_path / "texts.parquet"
    pl.DataFrame({"text": ["One, two.  Three four " * n for n in (1, 5, 60)] + [" "]}).write_parquet(file)
    _, block = read_block(file, 3, 4, 2, 64, vocabulary=300)
    assert block.lengths.max() <= 64 and block.answers[0] == "One, two.  Three four "
    pl.DataFrame({"other": ["x"]}).write_parquet(file)
    with pytest.raises(InputError, match="'answer' or 'text'"):
        read_block(file, 3, 4, 2, 64, vocabulary=300)
