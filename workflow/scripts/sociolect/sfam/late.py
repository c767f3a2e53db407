"""Late interaction: a cross-encoder whose texts meet only in [CLS], so that both are encoded once for all pairs.

With the attention mask of `late_mask`, [CLS] sees everything, the words of the attribute see the attribute, those of
the answer see the answer. The states of answers and attributes then do not depend on what they are paired with:
K attributes cost one pass over the answer and K chains of a single token, instead of K passes (the idea of ColBERT
and of poly-encoders, Khattab and Zaharia 2020, Humeau et al. 2020, inside a cross-encoder). `grid_logits` computes
exactly what the model's own forward does under that mask. Models say so in their config: `late_interaction`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

from sociolect.common.errors import InputError


def late_mask(token_types: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Attention mask [n, N, N] of late interaction, from token types (1 on the answer) and mask, each [n, N].

    Row i, column j is 1 where token i sees token j; token 0 is [CLS].
    """
    segment = token_types + 1
    segment[:, 0] = 0
    sees = (segment[:, :, None] == segment[:, None, :]) | (segment[:, :, None] == 0)
    return (sees & mask.bool()[:, :, None] & mask.bool()[:, None, :]).long()


def check_late(model: Any) -> None:
    """Refuse models that `grid_logits` cannot compute.

    Raises:
        InputError: the model is no DeBERTa-v2 with shared content-to-position attention.
    """
    config = model.config
    if config.model_type != "deberta-v2" or list(config.pos_att_type or []) != ["c2p"] or not config.share_att_key:
        raise InputError(
            "late_interaction needs a deberta-v2 with pos_att_type [c2p] and share_att_key; "
            "take late_interaction out of the model's config.json"
        )


@dataclass(frozen=True)
class Segments:
    """States of texts before every block.

    Attributes:
        states: per block, [n, T, h].
        mask: bool [n, T], False on padding.
        lengths: tokens per text with [SEP], int64 [n].
    """

    states: list[torch.Tensor]
    mask: torch.Tensor
    lengths: torch.Tensor


def encode_segment(model: Any, ids: torch.Tensor, mask: torch.Tensor, token_type: int) -> Segments:
    """Run texts (with their [SEP], without [CLS]) through all blocks but the last, each on its own.

    Args:
        ids: int64 [n, T], padded on the right.
        mask: bool [n, T].
        token_type: 0 for attributes, 1 for answers.
    """
    encoder = model.deberta.encoder
    types = torch.full_like(ids, token_type)
    state = model.deberta.embeddings(input_ids=ids, token_type_ids=types, mask=mask)
    pairs = encoder.get_attention_mask(mask.long())
    relative = encoder.get_rel_pos(state)
    states = [state]
    for layer in encoder.layer[:-1]:
        state, _ = layer(state, pairs, relative_pos=relative, rel_embeddings=encoder.get_rel_embedding())
        states.append(state)
    return Segments(states, mask, mask.sum(dim=1))


def masked_logits(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """What `grid_logits` must equal: the plain forward over whole pairs under `late_mask`, [n, outputs]."""
    ids, types, mask = inputs["input_ids"], inputs["token_type_ids"], inputs["attention_mask"]
    embedded = model.deberta.embeddings(input_ids=ids, token_type_ids=types, mask=mask)
    state = model.deberta.encoder(embedded, late_mask(types, mask)).last_hidden_state
    return model.classifier(model.pooler(state))


def grid_logits(model: Any, cls_token_id: int, answers: Segments, attributes: Segments) -> torch.Tensor:
    """Logits of every answer with every attribute, [n, K, outputs]."""
    embed = model.deberta.embeddings
    token = torch.full((1, 1), cls_token_id, device=answers.mask.device)
    cls = embed(input_ids=token, token_type_ids=torch.zeros_like(token))[0, 0]
    n, k = len(answers.mask), len(attributes.mask)
    state = cls.expand(n, k, -1)
    positions = _Positions(model, answers.mask.shape[1], attributes)
    for block, layer in enumerate(model.deberta.encoder.layer):
        context = _attend(
            layer.attention.self, state, answers.states[block], attributes.states[block], answers, attributes, positions
        )
        hidden = layer.attention.output(context, state)
        state = layer.output(layer.intermediate(hidden), hidden)
    pooled = model.pooler(state.reshape(n * k, 1, -1))
    return model.classifier(pooled).view(n, k, -1)


class _Positions:
    """Where [CLS], at position 0, finds each key in the table of relative positions."""

    def __init__(self, model: Any, n_answer: int, attributes: Segments) -> None:
        encoder = model.deberta.encoder
        self.table = encoder.get_rel_embedding()
        device = attributes.mask.device
        self.span = encoder.position_buckets
        self.limit = encoder.max_relative_positions
        self.own = self._index(torch.zeros(1, device=device, dtype=torch.long))
        self.attribute = self._index(torch.arange(1, attributes.mask.shape[1] + 1, device=device))
        first = attributes.lengths[:, None] + 1
        self.answer = self._index(first + torch.arange(n_answer, device=device))

    def _index(self, position: torch.Tensor) -> torch.Tensor:
        bucket = make_log_bucket_position(-position, self.span, self.limit).long()
        return (bucket + self.span).clamp(0, 2 * self.span - 1)


def _attend(
    attention: Any,
    state: torch.Tensor,
    answer_state: torch.Tensor,
    attribute_state: torch.Tensor,
    answers: Segments,
    attributes: Segments,
    positions: _Positions,
) -> torch.Tensor:
    """What [CLS] of every pair gathers: [n, K, h]. b answers, k attributes, q heads, d head size, t tokens."""
    heads, size = attention.num_attention_heads, attention.attention_head_size

    def split(x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (heads, size))

    query = split(attention.query_proj(state)) / (2 * size) ** 0.5
    key, value = attention.key_proj, attention.value_proj
    # content to position: one product with the table, then a look-up per key
    place = torch.einsum("bkqd,pqd->bkqp", query, split(key(positions.table)))
    n, k = state.shape[:2]
    own = (query * split(key(state))).sum(-1, keepdim=True) + place[..., positions.own]
    to_attribute = torch.einsum("bkqd,ktqd->bkqt", query, split(key(attribute_state))) + place[..., positions.attribute]
    index = positions.answer[None, :, None, :].expand(n, k, heads, -1)
    to_answer = torch.einsum("bkqd,btqd->bkqt", query, split(key(answer_state))) + place.gather(-1, index)
    lowest = torch.finfo(query.dtype).min
    to_attribute = to_attribute.masked_fill(~attributes.mask[None, :, None, :], lowest)
    to_answer = to_answer.masked_fill(~answers.mask[:, None, None, :], lowest)
    weights = attention.dropout(torch.softmax(torch.cat([own, to_attribute, to_answer], dim=-1), dim=-1))
    t = attribute_state.shape[1]
    gathered = weights[..., :1] * split(value(state))
    gathered = gathered + torch.einsum("bkqt,ktqd->bkqd", weights[..., 1 : 1 + t], split(value(attribute_state)))
    gathered = gathered + torch.einsum("bkqt,btqd->bkqd", weights[..., 1 + t :], split(value(answer_state)))
    return gathered.flatten(-2)
