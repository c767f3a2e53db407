"""SFAM as a cross-encoder: load, save, fold, and assemble pairs from texts that are tokenised once.

A pair is `[CLS] attribute [SEP] answer [SEP]`. The answer comes last, so that cutting it moves nothing else; it is
cut to what fits beside the longest attribute, so that all attributes are judged on the same text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from sociolect.common.errors import InputError

AGREE, DISAGREE = 1, 0
SPECIAL_TOKENS = 3
MIN_ANSWER_TOKENS = 8


@dataclass(frozen=True)
class Encoded:
    """Token ids of many texts, without special tokens, each cut to a limit.

    Attributes:
        ids: all ids, one text after the other, int64 [total].
        offsets: text i is ids[offsets[i]:offsets[i + 1]], int64 [n + 1].
        full_lengths: lengths before cutting, int64 [n].
    """

    ids: np.ndarray
    offsets: np.ndarray
    full_lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """Kept tokens per text, int64 [n]."""
        return np.diff(self.offsets)


@dataclass(frozen=True)
class AgreementModel:
    """The classifier with its tokenizer and the longest pair that it takes, special tokens included."""

    model: Any
    tokenizer: Any
    max_tokens: int

    @property
    def n_outputs(self) -> int:
        """2: agree and disagree with softmax; 1: one sigmoid."""
        return int(self.model.config.num_labels)

    @property
    def late(self) -> bool:
        """Whether texts meet in [CLS] only, so that both are encoded once for all pairs (see `late`)."""
        return bool(getattr(self.model.config, "late_interaction", False))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def digest(self) -> str:
        """Digest of all weights, the pair length and the kind of interaction: what decides a score beside the texts."""
        sha = hashlib.sha256(f"{self.max_tokens} {self.late}".encode())
        for name, tensor in sorted(self.model.state_dict().items()):
            sha.update(f"{name}{tuple(tensor.shape)}".encode())
            sha.update(tensor.detach().to("cpu", torch.float32).contiguous().numpy().tobytes())
        return sha.hexdigest()[:16]


def load_agreement(folder: Path, max_tokens: int, n_outputs: int | None = None) -> AgreementModel:
    """Load a model and its tokenizer from a local folder; the hub is never asked.

    Args:
        folder: a snapshot of the hub, a scratch model or a trained SFAM.
        max_tokens: length of a pair, special tokens included.
        n_outputs: outputs of a head made anew if the folder has none of that size; None keeps the folder's.

    Raises:
        InputError: the folder is missing or incomplete, or the model takes shorter inputs than max_tokens.
    """
    model, tokenizer = load_classifier(folder, n_outputs)
    limit = getattr(model.config, "max_position_embeddings", 0)
    if limit and max_tokens > limit:
        raise InputError(f"{folder}: takes {limit} tokens, max_tokens is {max_tokens}; set it to {limit} or less")
    return AgreementModel(name_outputs(model), tokenizer, max_tokens)


def load_classifier(folder: Path, n_outputs: int | None = None) -> tuple[Any, Any]:
    """Classifier, in float32, and tokenizer of a local folder; the hub is never asked.

    Args:
        folder: of the model.
        n_outputs: outputs of a head made anew if the folder has none of that size; None keeps the folder's.

    Raises:
        InputError: the folder is missing or incomplete.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: no config.json; give the folder of a model snapshot")
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if n_outputs is not None and config.num_labels != n_outputs:
            config.num_labels = n_outputs
        # hub snapshots may hold half-precision weights: training and comparison need float32
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, config=config, local_files_only=True, dtype=torch.float32, ignore_mismatched_sizes=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{folder}: not a whole model folder ({error}); fetch or train it again") from error
    return model, tokenizer


def save_agreement(agreement: AgreementModel, folder: Path) -> None:
    """Write config, weights (safetensors) and tokenizer into a folder that `load_agreement` takes."""
    agreement.model.save_pretrained(folder)
    agreement.tokenizer.save_pretrained(folder)


def name_outputs(model: Any) -> Any:
    """Give the outputs their names in the config: disagree and agree, or agree alone."""
    names = ["disagree", "agree"] if model.config.num_labels == 2 else ["agree"]
    model.config.id2label = dict(enumerate(names))
    model.config.label2id = {name: index for index, name in enumerate(names)}
    model.config.problem_type = None
    return model


def agreement_logit(logits: torch.Tensor) -> torch.Tensor:
    """The one logit whose sigmoid is the score: z1 - z0 of two outputs, or the single one. [n, 1|2] -> [n]"""
    return logits[:, AGREE] - logits[:, DISAGREE] if logits.shape[1] == 2 else logits[:, 0]


def fold_two_outputs(agreement: AgreementModel) -> AgreementModel:
    """A one-output model with the same scores, since softmax over (z0, z1) equals sigmoid(z1 - z0).

    Raises:
        ValueError: the model has not two outputs.
    """
    if agreement.n_outputs != 2:
        raise ValueError(f"only a two-output head can be folded, this one has {agreement.n_outputs}")
    source = agreement.model
    config = type(source.config).from_dict(source.config.to_dict())
    config.num_labels = 1
    with torch.random.fork_rng(devices=[]):
        model = type(source)(config)
    state = dict(source.state_dict())
    for name in ("classifier.weight", "classifier.bias"):
        state[name] = state[name][AGREE : AGREE + 1] - state[name][DISAGREE : DISAGREE + 1]
    model.load_state_dict(state)
    model.to(agreement.device).train(source.training)
    return AgreementModel(name_outputs(model), agreement.tokenizer, agreement.max_tokens)


def encode_texts(agreement: AgreementModel, texts: Sequence[str]) -> Encoded:
    """Tokenise answers once; more than a pair can hold is not kept (but counted in full_lengths).

    A blank answer has no tokens.
    """
    return _encode(agreement, [text if text.strip() else "" for text in texts], agreement.max_tokens)


def encode_attributes(agreement: AgreementModel, sentences: Sequence[str]) -> Encoded:
    """Tokenise attribute sentences ("The author uses X."), whole.

    Raises:
        InputError: one is empty, or so long that no answer fits beside it. The message quotes it.
    """
    encoded = _encode(agreement, sentences, None)
    room = agreement.max_tokens - SPECIAL_TOKENS - MIN_ANSWER_TOKENS
    for sentence, length in zip(sentences, encoded.lengths, strict=True):
        if length == 0:
            raise InputError(f"attribute {sentence!r} has no tokens; take it out of the catalogue")
        if length > room:
            raise InputError(
                f"attribute {sentence!r} has {length} tokens, {room} fit; raise max_tokens or lower catalogue.max_chars"
            )
    return encoded


def answer_limit(agreement: AgreementModel, attributes: Encoded) -> int:
    """Tokens of an answer that are read: what fits beside [CLS], two [SEP] and the longest attribute."""
    return agreement.max_tokens - SPECIAL_TOKENS - int(attributes.lengths.max())


def place_texts(
    ids: np.ndarray, texts: Encoded, index: np.ndarray, start: np.ndarray, kept: np.ndarray, sep_token_id: int
) -> None:
    """Write the first `kept[i]` tokens of text `index[i]` into row i from column `start[i]` on, then [SEP]."""
    column, end = np.arange(ids.shape[1]), start + kept
    rows, columns = np.nonzero((column >= start[:, None]) & (column < end[:, None]))
    ids[rows, columns] = texts.ids[texts.offsets[index][rows] + columns - start[rows]]
    ids[np.arange(len(ids)), end] = sep_token_id


def pair_arrays(
    agreement: AgreementModel,
    answers: Encoded,
    attributes: Encoded,
    answer_index: np.ndarray,
    attribute_index: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs (answer_index[i], attribute_index[i]) as padded ids; the attribute stays whole.

    Returns:
        token ids and types (1 on the answer), int64 [n, longest pair], and tokens per pair, int64 [n].
    """
    tokenizer, limit = agreement.tokenizer, answer_limit(agreement, attributes)
    kept = np.minimum(answers.lengths[answer_index], limit)
    first = attributes.lengths[attribute_index] + 2  # where the answer begins
    lengths = first + kept + 1
    column = np.arange(int(lengths.max()))
    ids = np.full((len(lengths), len(column)), tokenizer.pad_token_id, dtype=np.int64)
    ids[:, 0] = tokenizer.cls_token_id
    place_texts(ids, attributes, attribute_index, np.ones_like(first), first - 2, tokenizer.sep_token_id)
    place_texts(ids, answers, answer_index, first, kept, tokenizer.sep_token_id)
    types = ((column >= first[:, None]) & (column < lengths[:, None])).astype(np.int64)
    return ids, types, lengths


def assemble(
    agreement: AgreementModel,
    answers: Encoded,
    attributes: Encoded,
    answer_index: np.ndarray,
    attribute_index: np.ndarray,
) -> dict[str, torch.Tensor]:
    """The same as inputs of transformers' own forward.

    Returns:
        input_ids, token_type_ids (1 on the answer) and attention_mask, each int64 [n, longest pair].
    """
    ids, types, lengths = pair_arrays(agreement, answers, attributes, answer_index, attribute_index)
    mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)
    tensors = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}
    return {name: torch.from_numpy(value).to(agreement.device) for name, value in tensors.items()}


def assemble_texts(
    agreement: AgreementModel, texts: Encoded, index: np.ndarray, limit: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded ids of single texts with their [SEP], without [CLS], and where they are: int64 and bool [n, longest]."""
    lengths = np.minimum(texts.lengths[index], limit) + 1
    ids = np.full((len(index), int(lengths.max())), agreement.tokenizer.pad_token_id, dtype=np.int64)
    place_texts(ids, texts, index, np.zeros_like(lengths), lengths - 1, agreement.tokenizer.sep_token_id)
    mask = np.arange(ids.shape[1]) < lengths[:, None]
    return torch.from_numpy(ids).to(agreement.device), torch.from_numpy(mask).to(agreement.device)


def _encode(agreement: AgreementModel, texts: Sequence[str], limit: int | None) -> Encoded:
    if not texts:
        return Encoded(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64))
    rows = agreement.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
    full = np.array([len(row) for row in rows], dtype=np.int64)
    kept = [row[:limit] for row in rows]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in kept])]).astype(np.int64)
    flat = np.fromiter((token for row in kept for token in row), dtype=np.int64, count=int(offsets[-1]))
    return Encoded(flat, offsets, full)
