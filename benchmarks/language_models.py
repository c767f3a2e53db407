"""The work of the generation benchmark: a random language model, steering vectors, and the requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import measuring  # noqa: F401  (makes sociolect importable)
from sociolect.lm.reading import residual_norms
from sociolect.lm.requests import Request, SteerRef, write_vectors
from sociolect.models.loading import check_snapshot

__all__ = [
    "DTYPES",
    "SHAPES",
    "LanguageShape",
    "Steered",
    "Work",
    "build_language_model",
    "link_language_model",
    "make_vectors",
    "random_language_model",
    "save_words",
]

SEED = 30
N_VECTORS = 32
PAD, UNKNOWN, BEGINNING, FIRST_WORD = range(4)
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class LanguageShape:
    """Sizes of a Llama.

    Attributes:
        own_head_dim: width of a head where it is not that of the residual stream over the number of heads.
        spread: standard deviation of the weights. Much larger than trained ones have it, so that the model has
            preferences that rounding does not overturn; speed does not depend on it.
    """

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    tied: bool
    spread: float = 0.1
    own_head_dim: int | None = None

    @property
    def head_dim(self) -> int:
        """Width of a head."""
        return self.own_head_dim or self.hidden // self.heads

    @property
    def parameters(self) -> int:
        """Weights of all matrices."""
        attention = 2 * self.hidden * (self.heads + self.kv_heads) * self.head_dim
        blocks = self.layers * (attention + 3 * self.hidden * self.intermediate)
        return blocks + (1 if self.tied else 2) * self.vocabulary * self.hidden

    def cache_bytes(self, tokens: int, item: int) -> int:
        """Keys and values of so many tokens, of `item` bytes a number."""
        return 2 * self.layers * self.kv_heads * self.head_dim * item * tokens


SHAPES = {
    # heads of 32: vLLM's CPU kernels have no smaller ones
    "tiny": LanguageShape(128, 4, 4, 2, 256, 1024, tied=True, spread=0.2),
    "80m": LanguageShape(640, 12, 10, 5, 1728, 32000, tied=True),
    # those of Qwen2.5-1.5B and of Llama-3.1-8B
    "1.5b": LanguageShape(1536, 28, 12, 2, 8960, 151936, tied=True, spread=0.05),
    "8b": LanguageShape(4096, 32, 32, 8, 14336, 128256, tied=False, spread=0.03),
    # that of Qwen3-8B
    "qwen3-8b": LanguageShape(4096, 36, 32, 8, 12288, 151936, tied=False, spread=0.03),
}


def build_language_model(shape: LanguageShape, dtype: str, context: int, device: torch.device, folder: Path) -> None:
    """Save a model with random weights, always the same, and a tokenizer of whole words.

    Neither has an end token: all answers get their full length.
    """
    random_language_model(shape, dtype, context, device).save_pretrained(folder)
    save_words(shape, folder)


def random_language_model(shape: LanguageShape, dtype: str, context: int, device: torch.device) -> LlamaForCausalLM:
    """A model with random weights, always the same ones on the same kind of device, and no end token."""
    make_config: Any = LlamaConfig  # its keywords are not declared
    config = make_config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        max_position_embeddings=context,
        tie_word_embeddings=shape.tied,
        initializer_range=shape.spread,
        bos_token_id=BEGINNING,
        eos_token_id=None,
        pad_token_id=PAD,
        dtype=DTYPES[dtype],
    )
    usual = torch.get_default_dtype()
    torch.set_default_dtype(DTYPES[dtype])
    try:
        # where the weights are drawn decides how long 8 billion take
        with torch.random.fork_rng(), torch.device(device):
            torch.manual_seed(SEED)
            return LlamaForCausalLM(config).eval()
    finally:
        torch.set_default_dtype(usual)


def link_language_model(source: Path, folder: Path) -> LanguageShape:
    """Make a folder with the weights of a real model, a tokenizer of whole words, and no end token.

    Returns:
        its sizes.

    Raises:
        InputError: `source` is not the folder of a model.
    """
    check_snapshot(source)
    folder.mkdir(parents=True)
    config: Any = AutoConfig.from_pretrained(source, local_files_only=True)
    text = config.get_text_config()
    config.eos_token_id = text.eos_token_id = None
    config.save_pretrained(folder)
    for file in source.glob("*.safetensors*"):
        (folder / file.name).symlink_to(file.resolve())
    shape = LanguageShape(
        text.hidden_size, text.num_hidden_layers, text.num_attention_heads, text.num_key_value_heads,
        text.intermediate_size, text.vocab_size, bool(text.tie_word_embeddings), own_head_dim=text.head_dim,
    )  # fmt: skip
    save_words(shape, folder)
    return shape


def save_words(shape: LanguageShape, folder: Path) -> None:
    """Save a tokenizer whose tokens are the words w0, w1, ..."""
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(shape.vocabulary)}, unk_token=f"w{UNKNOWN}"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"pad_token": f"w{PAD}", "unk_token": f"w{UNKNOWN}", "bos_token": f"w{BEGINNING}"}
    PreTrainedTokenizerFast(tokenizer_object=words, **special).save_pretrained(folder)


@dataclass(frozen=True)
class Steered:
    """How the requests are steered: by so many vectors in turn, in the middle block or in all; 0 is not at all."""

    vectors: int = 0
    everywhere: bool = False


@dataclass(frozen=True)
class Work:
    """The requests that every contender answers.

    Attributes:
        vectors_file: N_VECTORS steering vectors.
        n_layers: blocks of the model.
        vocabulary: of the model.
        n_requests: of one call.
        prompt: fewest and most tokens of a prompt; the lengths are spaced evenly.
        new_tokens: of every answer.
        temperature: 0 is greedy.
        top_p: of sampling.
    """

    vectors_file: str
    n_layers: int
    vocabulary: int
    n_requests: int
    prompt: tuple[int, int]
    new_tokens: int
    temperature: float
    top_p: float = 1.0

    @property
    def context(self) -> int:
        """Tokens of the longest request."""
        return self.prompt[1] + self.new_tokens

    def requests(self, number: int, steered: Steered, greedy: bool = False) -> list[Request]:
        """Those of call `number`. Each call has prompts of its own, so that no prefix of an earlier one is cached.

        Args:
            number: of the call.
            steered: by what.
            greedy: whatever the temperature.
        """
        draw = np.random.default_rng([SEED, number])
        lengths = np.linspace(*self.prompt, self.n_requests).round().astype(int)
        # so that each vector has prompts of all lengths
        lengths = np.random.default_rng(SEED).permutation(lengths)
        return [
            Request(
                id=f"{number}-{i:06d}",
                prompt_token_ids=(BEGINNING, *map(int, draw.integers(FIRST_WORD, self.vocabulary, length - 1))),
                max_new_tokens=self.new_tokens,
                temperature=0.0 if greedy else self.temperature,
                top_p=self.top_p,
                seed=self.n_requests * number + i,
                steer=self._steer(i, steered),
            )
            for i, length in enumerate(lengths)
        ]

    def _steer(self, index: int, steered: Steered) -> SteerRef | None:
        if not steered.vectors:
            return None
        layers = tuple(range(self.n_layers)) if steered.everywhere else (self.n_layers // 2,)
        # of many blocks each gets its part, so that the sum of random vectors is as long as one
        return SteerRef(self.vectors_file, f"v{index % steered.vectors:02d}", layers, len(layers) ** 0.5, "all")


def make_vectors(model: Any, path: Path) -> None:
    """Random directions, as long as the residual stream of each block."""
    prompts = np.random.default_rng(SEED).integers(FIRST_WORD, int(model.config.vocab_size), (8, 32)).tolist()
    norms = residual_norms(model, [(BEGINNING,)] * len(prompts), [tuple(prompt) for prompt in prompts], 256)
    rows = np.random.default_rng(SEED).standard_normal((N_VECTORS, len(norms), int(model.config.hidden_size)))
    rows *= np.asarray(norms)[:, None] / np.linalg.norm(rows, axis=2, keepdims=True)
    vectors: Mapping[str, torch.Tensor] = {f"v{i:02d}": torch.from_numpy(row) for i, row in enumerate(rows)}
    write_vectors(vectors, path)
