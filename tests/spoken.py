"""Tokenizers of whole words with the space before them, as base models have, and none with a chat template."""

from __future__ import annotations

import transformers as tf
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors

__all__ = ["spaced_tokenizer"]

WORDS = "You use short words. dots. Write a text. Store coffee cold."
ASKED = ["Question:", " Question:", "Answer:", "\n", " Why", " not?", " it", " is"]


def spaced_tokenizer(bos: str | None = "<s>", adds: int = 0) -> tf.PreTrainedTokenizerFast:
    """Known words are one token each, with the space before them or without; others are <unk>.

    Args:
        bos: its BOS; None for a tokenizer that has none.
        adds: how many of them it puts before a text by itself.
    """
    words = dict.fromkeys(part for word in WORDS.split() for part in (word, f" {word}"))
    vocabulary = ["<unk>", "</s>", "<s>", *ASKED, *words]
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"\n| ?[^ \n]+| "), "isolated")
    backend.decoder = decoders.Fuse()
    if adds:
        backend.post_processor = processors.TemplateProcessing("<s> " * adds + "$A", special_tokens=[("<s>", 2)])
    special = {"eos_token": "</s>", "unk_token": "<unk>", **({"bos_token": bos} if bos else {})}
    return tf.PreTrainedTokenizerFast(tokenizer_object=backend, **special)
