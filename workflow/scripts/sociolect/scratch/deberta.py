"""A tiny DeBERTa, initialized at random: the base of SFAM where no pretrained model is to be had."""

from __future__ import annotations

from typing import Any

import torch
from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

from sociolect.common.errors import InputError
from sociolect.settings.models import ScratchSfam
from sociolect.sfam.model import AgreementModel, name_outputs

POSITION_BUCKETS = 16
INITIALIZER_RANGE = 0.12
ATTRIBUTE_LOGIT = 5.0


def build_deberta(
    settings: ScratchSfam, tokenizer: Any, max_tokens: int, n_outputs: int, seed: int, late: bool = True
) -> AgreementModel:
    """A randomly initialized cross-encoder with disentangled attention (He et al. 2021, DeBERTa).

    Like DeBERTa-v3 it has no absolute positions, shares the projections of contents and positions, and
    normalizes the position embeddings. Unlike it, it has token types (nothing but they can tell a model
    without pretraining which of the two texts a word is in), attends to positions from contents only, starts
    from weights of the size that its small width asks for, and looks at the attribute from the start: a
    text alone and an attribute alone say nothing of the label, so from the usual weights it learns very slowly.

    Args:
        settings: width, blocks, heads and longest input.
        tokenizer: with pad, cls and sep tokens; the embedding is as large as its vocabulary.
        max_tokens: length of a pair, special tokens included.
        n_outputs: 2 (agree and disagree) or 1.
        seed: of the initial weights.
        late: texts meet in [CLS] only (see `sociolect.sfam.late`).

    Raises:
        InputError: heads do not divide the width, the pair is longer than the model, or a special token is missing.
    """
    _check_shape(settings, tokenizer, max_tokens)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed % 2**63)
        model = DebertaV2ForSequenceClassification(_config(settings, tokenizer, n_outputs, late))
        _look_at_attribute(model, ATTRIBUTE_LOGIT)
    return AgreementModel(name_outputs(model), tokenizer, max_tokens)


def _check_shape(settings: ScratchSfam, tokenizer: Any, max_tokens: int) -> None:
    if settings.hidden % settings.heads:
        raise InputError(
            f"scratch.sfam: hidden is {settings.hidden}, heads is {settings.heads}; heads must divide hidden"
        )
    if max_tokens > settings.max_positions:
        raise InputError(
            f"sfam.max_tokens is {max_tokens}, scratch.sfam.max_positions is {settings.max_positions}; raise the latter"
        )
    for name in ("pad_token_id", "cls_token_id", "sep_token_id"):
        if getattr(tokenizer, name, None) is None:
            raise InputError(f"the tokenizer of the scratch SFAM has no {name}; train it with such a token")


def _config(settings: ScratchSfam, tokenizer: Any, n_outputs: int, late: bool) -> DebertaV2Config:
    make_config: Any = DebertaV2Config  # its keywords are not declared
    config: DebertaV2Config = make_config(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=4 * settings.hidden,
        max_position_embeddings=settings.max_positions,
        max_relative_positions=settings.max_positions,
        position_buckets=POSITION_BUCKETS,
        relative_attention=True,
        pos_att_type=["c2p"],
        share_att_key=True,
        norm_rel_ebd="layer_norm",
        position_biased_input=False,
        type_vocab_size=2,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pooler_dropout=0.0,
        initializer_range=INITIALIZER_RANGE,
        pad_token_id=tokenizer.pad_token_id,
        num_labels=n_outputs,
        late_interaction=late,
    )
    return config


@torch.no_grad()
def _look_at_attribute(model: Any, logit: float) -> None:
    """Let the first half of the heads of block 0 attend to the attribute's tokens from the start.

    Token types 0 and 1 get opposite embeddings, and a bias of the queries favors keys of type 0 by about `logit`.
    """
    types = model.deberta.embeddings.token_type_embeddings.weight
    direction = torch.randn(types.shape[1])
    direction = direction - direction.mean()
    direction = direction / direction.norm()
    words = model.deberta.embeddings.word_embeddings.weight
    types[0] = direction * words.norm(dim=1).mean()
    types[1] = -types[0]
    attention = model.deberta.encoder.layer[0].attention.self
    size = attention.attention_head_size
    for head in range(max(1, attention.num_attention_heads // 2)):
        rows = slice(head * size, (head + 1) * size)
        key = attention.key_proj.weight[rows] @ direction
        # after the layer norm the type is about 1/sqrt(2) of a vector of norm sqrt(h), with either sign
        gap = 2 * (types.shape[1] / 2) ** 0.5 * key.dot(key)
        attention.query_proj.bias[rows] = key * logit * (size * 2) ** 0.5 / gap
