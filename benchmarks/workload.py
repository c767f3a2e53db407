"""The work of the labeling benchmark: a model of the real shape, texts of the real lengths, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

import measuring  # noqa: F401  (makes sociolect importable)
from sociolect.common.errors import InputError
from sociolect.common.seeds import seed_of
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchTokenizer
from sociolect.sfam.model import SPECIAL_TOKENS, AgreementModel, name_outputs, save_agreement

SEED = 20
# Token lengths of real answers at 0, 5, ..., 100 %: 22871 answers to written questions in the UK parliament, and
# 19773 and 11561 of twelve Stack Exchange sites (several answers per question, and askx), weighted by the sizes of
# a study's splits (31500 : 66000 : 4680). Counted with a byte-level BPE of 32768 pieces trained on the same answers;
# mean 177.
LENGTHS = (
    *(9, 30, 41, 52, 63, 74, 85, 96, 108, 120, 132),
    *(146, 163, 180, 200, 224, 255, 295, 360, 486, 1866),
)


@dataclass(frozen=True)
class Shape:
    """Sizes of a DeBERTa v3."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int = 128100
    buckets: int = 256
    initializer_range: float = 0.02


SHAPES = {
    "base": Shape(768, 12, 12, 3072),
    "large": Shape(1024, 24, 16, 4096),
    # for tests; at its width only larger weights tell pairs apart
    "tiny": Shape(32, 3, 2, 64, vocabulary=4000, buckets=16, initializer_range=0.12),
}


@dataclass(frozen=True)
class Block:
    """What is scored: all pairs of some answers and attributes, as the product labels.

    Attributes:
        answers: texts that fit whole beside every attribute, so that no contender has to cut.
        attributes: sentences "The author uses X.".
        lengths: tokens of each pair with its three special tokens, int64 [answers, attributes].
        alone: answers for the student, more of them and of the same lengths.
        alone_lengths: their tokens with [CLS] and [SEP], int64 [n].
    """

    answers: list[str]
    attributes: list[str]
    lengths: np.ndarray
    alone: list[str]
    alone_lengths: np.ndarray

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(attribute, answer) of all pairs, answer by answer: with these the product's token ids come out."""
        return [(attribute, answer) for answer in self.answers for attribute in self.attributes]


def pair_flop(shape: Shape, length: int, terms: int = 4) -> float:
    """FLOP that the scores of one pair of `length` tokens cannot do without.

    Twice the multiply-adds of the linear layers of every block (four of attention, two of the feed-forward net), of
    attention's `terms` (contents with contents, the two with positions, and the weighted sum), each between any two
    tokens, and of the pooler. Padding is not counted; nor are the projections of the positions, which are the same
    for all pairs, nor the two outputs.
    """
    linear = 4 * shape.hidden**2 + 2 * shape.hidden * shape.intermediate
    attention = terms * length * shape.hidden
    return 2.0 * (shape.layers * length * (linear + attention) + shape.hidden**2)


def real_cost(shape: Shape, max_tokens: int, others: int) -> float:
    """Mean FLOP of a sequence of an answer of the real lengths and `others` more tokens."""
    spots = np.interp((np.arange(200) + 0.5) / 200, np.linspace(0, 1, len(LENGTHS)), LENGTHS)
    lengths = np.minimum(spots.astype(int) + others, max_tokens)
    return float(np.mean([pair_flop(shape, int(length)) for length in lengths]))


def build_model(shape: Shape, tokenizer: Any, max_tokens: int, folder: Path) -> None:
    """Save a DeBERTa v3 of this shape with random weights, always the same, and its tokenizer."""
    save_agreement(random_agreement(shape, tokenizer, max_tokens, torch.device("cpu")), folder)


def random_agreement(shape: Shape, tokenizer: Any, max_tokens: int, device: torch.device) -> AgreementModel:
    """A DeBERTa v3 of this shape with random weights, always the same ones on the same kind of device."""
    make_config: Any = DebertaV2Config  # its keywords are not declared
    config = make_config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.intermediate,
        max_position_embeddings=max_tokens,
        position_buckets=shape.buckets,
        relative_attention=True,
        pos_att_type=["p2c", "c2p"],
        share_att_key=True,
        norm_rel_ebd="layer_norm",
        position_biased_input=False,
        type_vocab_size=0,
        layer_norm_eps=1e-7,
        max_relative_positions=-1,
        pooler_dropout=0,
        pooler_hidden_act="gelu",
        pooler_hidden_size=shape.hidden,
        initializer_range=shape.initializer_range,
        pad_token_id=tokenizer.pad_token_id,
        num_labels=2,
    )
    # where the weights are drawn decides how long hundreds of millions take
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), device:
        torch.manual_seed(SEED)
        model = DebertaV2ForSequenceClassification(config).eval()
    # DeBERTa has none, and sentence-transformers would build pairs with it
    tokenizer.chat_template = None
    return AgreementModel(name_outputs(model), tokenizer, max_tokens)


def make_block(
    n_answers: int, n_attributes: int, n_alone: int, max_tokens: int, tokens: int | None = None
) -> tuple[Any, Block]:
    """A tokenizer and a block of made-up texts whose token lengths are those of real answers.

    Args:
        n_answers: answers, evenly spaced over the distribution of lengths.
        n_attributes: attributes of 6 to 9 tokens.
        n_alone: answers for the student.
        max_tokens: longest pair.
        tokens: give every pair exactly this many tokens instead (attributes then all have 8).

    Raises:
        InputError: no answer fits into that many tokens.
    """
    rng = np.random.default_rng(seed_of(SEED, "texts"))
    words = _made_up_words(rng, 400)
    widths = [8 if tokens else 6 + i % 4 for i in range(n_attributes)]
    # "The author uses" and "." are four tokens
    attributes = ["The author uses " + " ".join(rng.choice(words, width - 4)) + "." for width in widths]
    room = (tokens or max_tokens) - SPECIAL_TOKENS - max(widths)
    if room < 1:
        raise InputError(f"--tokens: an answer does not fit into {tokens or max_tokens} tokens; give more")

    def write(n: int) -> list[str]:
        spots = np.interp((np.arange(n) + 0.5) / n, np.linspace(0, 1, len(LENGTHS)), LENGTHS)
        kept = np.full(n, room) if tokens else np.minimum(spots.astype(int), room)
        return [" ".join(["I", *rng.choice(words, size - 1)]) for size in kept]

    answers, alone = write(n_answers), write(n_alone)
    # often enough that each word is a token of its own, also at the start of a sentence
    seen = [" ".join(["The author uses", *words]) + "."] * 4
    tokenizer = train_tokenizer([*seen, *attributes], ScratchTokenizer(kind="bpe", vocabulary=4000), max_tokens)
    return tokenizer, _measure(tokenizer, answers, attributes, alone, max_tokens)


def read_block(
    path: Path, n_answers: int, n_attributes: int, n_alone: int, max_tokens: int, vocabulary: int
) -> tuple[Any, Block]:
    """The same with the texts of a table (column `answer` or `text`), evenly spaced over its token lengths.

    Raises:
        InputError: the table has no such column or no text.
    """
    if not path.is_file():
        raise InputError(f"--texts: {path}: no such file")
    frame = pl.read_parquet(path)
    column = next((name for name in ("answer", "text") if name in frame.columns), None)
    if column is None:
        raise InputError(f"--texts: {path}: no column 'answer' or 'text', only {', '.join(frame.columns)}")
    texts = [text for text in frame[column].drop_nulls().to_list() if text.strip()]
    if not texts:
        raise InputError(f"--texts: {path}: no text in column {column!r}")
    _, made_up = make_block(1, n_attributes, 1, max_tokens)
    tokenizer = train_tokenizer(
        [*texts, *made_up.attributes * 8], ScratchTokenizer(kind="bpe", vocabulary=vocabulary), max_tokens
    )
    counts = np.array([len(row) for row in _ids(tokenizer, texts)])
    order = np.argsort(counts, kind="stable")
    room = max_tokens - SPECIAL_TOKENS - max(len(row) for row in _ids(tokenizer, made_up.attributes))

    def pick(n: int) -> list[str]:
        spots = ((np.arange(n) + 0.5) / n * len(texts)).astype(int)
        return [_cut(tokenizer, texts[i], room) for i in order[spots]]

    return tokenizer, _measure(tokenizer, pick(n_answers), made_up.attributes, pick(n_alone), max_tokens)


def _measure(tokenizer: Any, answers: list[str], attributes: list[str], alone: list[str], max_tokens: int) -> Block:
    """The block with its lengths.

    Raises:
        InputError: the tokenizer's pair of texts is not `[CLS] attribute [SEP] answer [SEP]`, whole.
    """
    lefts, rights = _ids(tokenizer, attributes), _ids(tokenizer, answers)
    lengths = np.array([[len(left) + len(right) + SPECIAL_TOKENS for left in lefts] for right in rights])
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    block = Block(answers, attributes, lengths, alone, np.array([len(r) + 2 for r in _ids(tokenizer, alone)]))
    wanted = [[cls, *left, sep, *right, sep] for right in rights for left in lefts]
    found = tokenizer([list(pair) for pair in block.pairs], truncation=True, max_length=max_tokens)["input_ids"]
    if found != wanted:
        raise InputError("the tokenizer cuts or orders pairs in another way than the product; nothing to compare")
    return block


def _ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    return tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]


def _cut(tokenizer: Any, text: str, room: int) -> str:
    """The text up to the last blank before its token number `room`: the rest is tokenised as before."""
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
    if len(offsets) <= room:
        return text
    end = offsets[room][0]
    return text[:end].rsplit(maxsplit=1)[0]


def _made_up_words(rng: np.random.Generator, n: int) -> list[str]:
    """Different words of two syllables."""
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    pairs = rng.permutation(len(syllables) ** 2)[:n]
    return [syllables[i // len(syllables)] + syllables[i % len(syllables)] for i in pairs]
