"""Draws: the same whatever the length and the company; sampling by hand."""

from __future__ import annotations

import pytest
import torch

from sociolect.lm.draws import draw_uniforms, sample_tokens

torch.set_num_threads(1)


def test_draws_do_not_depend_on_length_or_company() -> None:
    long = draw_uniforms([5, 6], 40)
    assert torch.equal(draw_uniforms([6], 7)[0], long[1, :7])
    assert not torch.equal(long[0], long[1])


def test_inverse_cdf_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.2, 0.3]])).expand(6, 3)
    uniforms = torch.tensor([0.0, 0.49, 0.51, 0.71, 0.99, 0.3], dtype=torch.float64)
    warm, whole = torch.tensor([1.0] * 5 + [0.0]), torch.ones(6)
    assert sample_tokens(logits, warm, whole, uniforms).tolist() == [0, 0, 1, 2, 2, 0]
    # top_p .6 keeps tokens 0 and 2, with .625 and .375
    kept = sample_tokens(logits, warm, torch.full((6,), 0.6), uniforms)
    assert kept.tolist() == [0, 0, 0, 2, 2, 0]
    # temperature .5 squares: .25, .04, .09 of .38
    cold = sample_tokens(logits, torch.full((6,), 0.5), whole, uniforms)
    assert cold.tolist() == [0, 0, 0, 1, 2, 0]


def by_definition(logits: torch.Tensor, temperature: float, top_p: float, uniform: float) -> int:
    """The token, with a sum for every one and a sort of all."""
    probabilities = torch.softmax(logits.double() / temperature, dim=0)
    ranked, order = probabilities.sort(descending=True, stable=True)
    kept = ranked.masked_fill(ranked.cumsum(0) - ranked >= top_p, 0.0)
    cdf = torch.zeros_like(probabilities).scatter_(0, order, kept).cumsum(0)
    return int((cdf <= uniform * cdf[-1]).sum())


@pytest.mark.parametrize("vocabulary", [7, 64, 1001, 262_144])
def test_the_same_token_as_by_definition(vocabulary: int) -> None:
    draw = torch.Generator().manual_seed(vocabulary)
    # peaked as a language model's, flat, and in between
    logits = torch.randn(24, vocabulary, generator=draw) * torch.tensor([3.0, 0.05, 1.0]).repeat(8).unsqueeze(1)
    temperature = 0.5 + torch.rand(24, generator=draw)
    top_p = torch.tensor([1.0, 0.95, 0.5, 0.999]).repeat_interleave(6)
    uniforms = torch.rand(24, generator=draw, dtype=torch.float64)
    found = sample_tokens(logits, temperature, top_p, uniforms)
    wanted = [
        by_definition(row, float(t), float(p), float(u))
        for row, t, p, u in zip(logits, temperature, top_p, uniforms, strict=True)
    ]
    # a uniform that falls within rounding of a boundary may take the neighbor, no more than one in so many
    assert sum(a != b for a, b in zip(found.tolist(), wanted, strict=True)) <= 1
    alone = [
        sample_tokens(logits[i : i + 1], temperature[i : i + 1], top_p[i : i + 1], uniforms[i : i + 1])
        for i in range(24)
    ]
    assert torch.cat(alone).tolist() == found.tolist()


def test_of_equals_at_the_edge_of_a_nucleus_the_first_are_kept() -> None:
    # .4, .2, .2, .2: top_p .7 needs .4 and two of three equals; in bfloat16 they are common
    logits = torch.log(torch.tensor([[0.2, 0.2, 0.4, 0.2]])).bfloat16().expand(4, 4)
    uniforms = torch.tensor([0.0, 0.3, 0.6, 0.999], dtype=torch.float64)
    assert sample_tokens(logits, torch.ones(4), torch.full((4,), 0.7), uniforms).tolist() == [0, 1, 2, 2]


def test_the_ends_of_the_range_take_tokens_that_are_possible() -> None:
    logits = torch.full((2, 200), float("-inf"))
    logits[:, 70:73] = 0.0
    uniforms = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)
    for top_p in (1.0, 0.9):
        assert sample_tokens(logits, torch.ones(2), torch.full((2,), top_p), uniforms).tolist() == [70, 72]
