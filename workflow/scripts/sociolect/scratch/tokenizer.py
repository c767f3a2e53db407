"""Tokenizers trained from scratch: word-level for a closed vocabulary, byte-level BPE for real text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from sociolect.common.errors import InputError
from sociolect.settings.models import ScratchTokenizer

BOS, EOS, PAD, UNK = "<bos>", "<eos>", "<pad>", "<unk>"
CLS, SEP, MASK = "<cls>", "<sep>", "<mask>"
ROLES = ("system", "user", "assistant")
ROLE_TOKENS = {role: f"<{role}>" for role in ROLES}
SPECIAL_TOKENS = (PAD, UNK, BOS, EOS, CLS, SEP, MASK, *ROLE_TOKENS.values())

# Every turn ends in EOS, so that a model stops after its own turn.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] not in " + str(ROLES) + " %}"
    "{{ raise_exception('role must be system, user or assistant, not ' + message['role']) }}{% endif %}"
    "{{ '<' + message['role'] + '>' + message['content'] + eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)
# A word takes the space before it along, and a line break is a token: decoding is joining.
_WORD = Regex(r"\n|▁?[\p{L}\p{M}]+(?:['’]\p{L}+)?|▁?\p{N}+|▁?\.\.\.|▁?[^\s\p{L}\p{N}▁]|▁")


def train_tokenizer(texts: Iterable[str], settings: ScratchTokenizer, max_tokens: int = 512) -> PreTrainedTokenizerFast:
    """A tokenizer with chat template and BERT-like pairs, trained on the texts.

    `word` keeps the most frequent words (ties by spelling) and turns all others into <unk>; texts of known words
    come back exactly from `decode(..., skip_special_tokens=True, clean_up_tokenization_spaces=False)`. `bpe` has
    no unknowns. The order of the texts does not matter for `word`.

    Args:
        texts: all texts that the model is to read, prompts included.
        settings: kind and largest vocabulary.
        max_tokens: longest input of the model that it is for.

    Raises:
        InputError: no text, or a vocabulary too small for the special tokens and bytes.
    """
    smallest = len(SPECIAL_TOKENS) + (256 if settings.kind == "bpe" else 1)
    if settings.vocabulary < smallest:
        raise InputError(
            f"scratch tokenizer: vocabulary {settings.vocabulary} is too small for kind {settings.kind!r}; "
            f"type at least {smallest}"
        )
    backend = _words(texts, settings.vocabulary) if settings.kind == "word" else _pieces(texts, settings.vocabulary)
    ids = {token: backend.token_to_id(token) for token in (CLS, SEP)}
    backend.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        pair=f"{CLS} $A {SEP} $B:1 {SEP}:1",
        special_tokens=[(token, ids[token]) for token in (CLS, SEP)],
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        unk_token=UNK,
        cls_token=CLS,
        sep_token=SEP,
        mask_token=MASK,
        additional_special_tokens=list(ROLE_TOKENS.values()),
        model_max_length=max_tokens,
        padding_side="right",
        truncation_side="right",
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def _words(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    split = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=False),
            pre_tokenizers.Split(_WORD, behavior="isolated"),
        ]
    )
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word, _ in split.pre_tokenize_str(text))
    if not counts:
        raise InputError("scratch tokenizer: no text to train on; give it the answers of part train")
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    words = [*SPECIAL_TOKENS, *(w for w in ranked if w not in SPECIAL_TOKENS)][:vocabulary]
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token=UNK))
    backend.pre_tokenizer = split
    backend.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    backend.add_special_tokens(list(SPECIAL_TOKENS))
    return backend


def _pieces(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(sorted(texts), trainer)
    if backend.get_vocab_size() == len(SPECIAL_TOKENS) + 256:
        raise InputError("scratch tokenizer: no text to train on; give it the answers of part train")
    return backend
