"""The losses of a batch: cross-entropy over groups' mean embeddings, and metric losses between answers.

A positive never shares author or question with its anchor, in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pytorch_metric_learning.losses import MultiSimilarityLoss, ProxyAnchorLoss, SupConLoss
from torch import nn
from torch.nn import functional

from sociolect.common.errors import InputError
from sociolect.embedding.net import Distance
from sociolect.embedding.triplets import Identities, Miner, find_triplets, metric, pairs_allowed, triplet_loss

__all__ = ["BatchLoss", "LossShape", "cross_entropy", "same_question_negatives"]


@dataclass(frozen=True)
class LossShape:
    """What a loss is made of: its name without cross-entropy, and the hyper-parameters that it reads."""

    metric_loss: str
    with_cross_entropy: bool
    distance: Distance
    margin: float
    temperature: float
    miner: Miner


class BatchLoss(nn.Module):
    """The loss of a batch; a module, since proxies are learned with the net."""

    def __init__(self, shape: LossShape, n_groups: int, dimension: int, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        distance = metric(shape.distance)
        match shape.metric_loss:
            case "" | "triplet":
                self.between: nn.Module | None = None
            case "supervised_contrastive" | "same_question":
                # Euclidean distances are no similarities of -1 to 1: they are taken as they are
                scale = shape.temperature if shape.distance == "cosine" else 1.0
                self.between = SupConLoss(temperature=scale, distance=distance)
            case "multi_similarity":
                self.between = MultiSimilarityLoss(alpha=2, beta=1 / shape.temperature, base=0.5, distance=distance)
            case "proxy_anchor":
                self.between = ProxyAnchorLoss(n_groups, dimension, margin=0.1, alpha=1 / shape.temperature)
                nn.init.normal_(self.between.get_parameter("proxies"), generator=generator)
            case unknown:
                raise InputError(f"unknown loss {unknown!r}; see embedding.loss in config/README.md")

    def forward(
        self,
        out: torch.Tensor,
        who: Identities,
        roles: torch.Tensor | None,
        positives: int,
        generator: torch.Generator,
    ) -> torch.Tensor | None:
        """The loss; None where the batch has nothing to learn from.

        Args:
            out: embeddings [n, D].
            who: identities of the batch.
            roles: bool [n] for disjoint roles: only these are anchors, only the others positives or negatives.
            positives: triplets: most positives drawn per anchor.
        """
        parts = []
        if self.shape.with_cross_entropy:
            parts.append(cross_entropy(out, who, self.shape.distance, self.shape.temperature, roles))
        if self.shape.metric_loss == "triplet":
            shape = self.shape
            found = find_triplets(out, who, shape.distance, shape.margin, shape.miner, roles, positives, generator)
            parts.append(triplet_loss(out, who, found, shape.distance, shape.margin) if len(found[0]) else None)
        elif self.between is not None:
            parts.append(self._between(out, who, roles))
        kept = [part for part in parts if part is not None]
        return torch.stack(kept).sum() if kept else None

    def _between(self, out: torch.Tensor, who: Identities, roles: torch.Tensor | None) -> torch.Tensor | None:
        assert self.between is not None
        if self.shape.metric_loss == "proxy_anchor":
            # a proxy is everybody's positive or negative: anchors alone are compared with it
            rows = torch.ones(len(out), dtype=torch.bool) if roles is None else roles
            result: torch.Tensor = self.between(out[rows], who.group[rows])
            return result
        allowed, different = pairs_allowed(who, roles)
        if self.shape.metric_loss == "same_question":
            different = same_question_negatives(different, who)
        # an anchor without positive or negative teaches nothing
        useful = (allowed.any(1) & different.any(1))[:, None]
        pairs = (*(allowed & useful).nonzero(as_tuple=True), *(different & useful).nonzero(as_tuple=True))
        if not len(pairs[0]):
            return None
        found: torch.Tensor = self.between(out, who.group, indices_tuple=pairs)
        return found


def cross_entropy(
    out: torch.Tensor, who: Identities, distance: Distance, temperature: float, roles: torch.Tensor | None = None
) -> torch.Tensor | None:
    """Cross-entropy of the softmax over groups, by the distance to each group's mean embedding in the batch.

    The loss of prototypical networks (Snell et al. 2017), of which the rule by the nearest mean embedding is the
    answer: minus the squared Euclidean distance, or the cosine similarity over the temperature, is the logit. The mean
    of an answer's own group leaves out what shares author or question with it, and itself. None where no answer has
    another of its group to be compared with, or where there is one group alone.

    Args:
        out: embeddings [n, D].
        who: identities of the batch.
        roles: bool [n] for disjoint roles: only these are compared, only with means of the others.
    """
    allowed, different = pairs_allowed(who, roles)
    present = torch.unique(who.group)
    n = len(out)
    member = (who.group[:, None] == present[None, :]) & (
        torch.ones(n, 1, dtype=torch.bool) if roles is None else ~roles[:, None]
    )
    counts = member.sum(0)
    own = (who.group[:, None] == present[None, :]).int().argmax(1)
    useful = allowed.any(1) & different.any(1)
    if not bool(useful.any()):
        return None
    # means of embeddings as they are, also for the cosine: so are the group embeddings
    means = (member.float().T @ out) / counts.clamp(min=1)[:, None]
    mine = (allowed.float() @ out) / allowed.sum(1).clamp(min=1)[:, None]
    if distance == "cosine":
        logits = functional.normalize(out) @ functional.normalize(means).T / temperature
        of_own = functional.cosine_similarity(out, mine) / temperature
    else:
        logits = 2 * out @ means.T - means.square().sum(1) - out.square().sum(1, keepdim=True)
        of_own = -(out - mine).square().sum(1)
    logits = logits.masked_fill((counts == 0)[None, :], float("-inf"))
    logits = logits.scatter(1, own[:, None], of_own[:, None])
    return functional.cross_entropy(logits[useful], own[useful])


def same_question_negatives(different: torch.Tensor, who: Identities) -> torch.Tensor:
    """Negatives [n, n] of which only those that answer the anchor's question are left, where it has any such."""
    same = different & (who.question[:, None] == who.question[None, :])
    return torch.where(same.any(1, keepdim=True), same, different)
