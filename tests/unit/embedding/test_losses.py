"""Losses of a batch: values by hand, and who may be whose positive."""

from __future__ import annotations

import math

import pytest
import torch

from sociolect.embedding.losses import BatchLoss, LossShape, cross_entropy, same_question_negatives
from sociolect.embedding.triplets import Identities


def people(group: list[int], author: list[int] | None = None, question: list[int] | None = None) -> Identities:
    rows = list(range(len(group)))
    return Identities(torch.tensor(group), torch.tensor(author or rows), torch.tensor(question or rows))


def test_cross_entropy_by_hand() -> None:
    # the answers at 0 and 2 are of one group, those at 5 and 7 of another, in quarters; each is compared with the other
    # of its group, at distance 2, and with the mean of the other group, at distances 6, 4, 4, 6
    out = torch.tensor([[0.0], [2.0], [5.0], [7.0]]) / 4
    found = cross_entropy(out, people([0, 0, 1, 1]), "euclidean", 1.0)
    expected = (2 * math.log1p(math.exp((4 - 36) / 16)) + 2 * math.log1p(math.exp((4 - 16) / 16))) / 4
    assert found is not None and float(found) == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_leaves_out_what_shares_author_or_question() -> None:
    out = torch.tensor([[0.0], [9.0], [2.0], [5.0], [7.0]]) / 4
    # the answer at 9 is by the author of the one at 0, and to the question of the one at 2: it has nobody to be near to
    found = cross_entropy(out, people([0, 0, 0, 1, 1], [0, 0, 2, 3, 4], [0, 1, 1, 3, 4]), "euclidean", 1.0)
    # at 0: own mean 2; at 2: own mean 0; the other group's mean is 6; for 5 and 7 the first group's mean is 11 / 3
    terms = [36 - 4, 16 - 4, (5 - 11 / 3) ** 2 - 4, (7 - 11 / 3) ** 2 - 4]  # in sixteenths
    assert found is not None
    assert float(found) == pytest.approx(sum(math.log1p(math.exp(-gap / 16)) for gap in terms) / 4, rel=1e-5)


def test_cosine_cross_entropy_does_not_change_with_scale_and_euclidean_not_with_a_shift() -> None:
    generator = torch.Generator().manual_seed(0)
    out, who = torch.randn(12, 3, generator=generator), people([0, 1, 2] * 4)
    found = [cross_entropy(x, who, "cosine", 0.1) for x in (out, 7 * out)]
    assert found[0] is not None and found[1] is not None and torch.allclose(found[0], found[1], atol=1e-5)
    found = [cross_entropy(x, who, "euclidean", 0.1) for x in (out, out + torch.tensor([1.0, -2.0, 3.0]))]
    assert found[0] is not None and found[1] is not None and torch.allclose(found[0], found[1], atol=1e-4)


def test_cosine_cross_entropy_compares_with_means_of_embeddings_as_they_are() -> None:
    # the mean of (1, 0) and (0, 3) points along (1, 3), not along the diagonal; the anchor alone is of the other group
    out = torch.tensor([[1.0, 0.0], [0.0, 3.0], [1.0, 1.0], [2.0, 0.0]])
    roles = torch.tensor([False, False, True, False])
    found = cross_entropy(out, people([0, 0, 1, 1]), "cosine", 1.0, roles)
    other, own = 4 / math.sqrt(20), 1 / math.sqrt(2)
    assert found is not None and float(found) == pytest.approx(math.log1p(math.exp(other - own)), rel=1e-5)


def test_disjoint_roles_compare_anchors_with_the_others_alone() -> None:
    out = torch.tensor([[0.0], [2.0], [5.0], [7.0]]) / 4
    roles = torch.tensor([True, False, False, False])
    found = cross_entropy(out, people([0, 0, 1, 1]), "euclidean", 1.0, roles)
    # the one anchor at 0: own mean 2, the other group's mean 6
    assert found is not None and float(found) == pytest.approx(math.log1p(math.exp((4 - 36) / 16)), rel=1e-5)


def test_nothing_to_learn_is_no_loss() -> None:
    out = torch.zeros(3, 2, requires_grad=True)
    assert cross_entropy(out, people([0, 0, 0]), "euclidean", 1.0) is None, "one group"
    assert cross_entropy(out, people([0, 1, 2]), "euclidean", 1.0) is None, "no answer has another of its group"
    shape = LossShape("supervised_contrastive", False, "cosine", 0.2, 0.1, "all")
    loss = BatchLoss(shape, 3, 2, torch.Generator().manual_seed(0))
    assert loss(out, people([0, 1, 2]), None, 2, torch.Generator()) is None


def test_negatives_are_answers_to_the_same_question_where_there_are_any() -> None:
    who = people([0, 0, 1, 1], question=[7, 8, 7, 9])
    different = who.group[:, None] != who.group[None, :]
    found = same_question_negatives(different, who)
    assert found.tolist() == [
        [False, False, True, False],  # only the other answer to question 7
        [False, False, True, True],  # question 8 has no other answer: all of the other group
        [True, False, False, False],
        [True, True, False, False],
    ]


def test_proxies_come_from_the_generator_alone() -> None:
    shape = LossShape("proxy_anchor", False, "cosine", 0.2, 0.1, "all")
    made = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        made.append(BatchLoss(shape, 3, 2, torch.Generator().manual_seed(0)).get_parameter("between.proxies"))
    assert torch.equal(made[0], made[1])
