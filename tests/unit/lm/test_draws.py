"""Draws: the same whatever the length and the company; sampling by hand."""

from __future__ import annotations

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
