"""Tiny random models: of every supported architecture, scratch ones, and some that vLLM can run on a CPU."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as tf
from tokenizers import Tokenizer, models, pre_tokenizers

from sociolect.lm.reading import residual_norms
from sociolect.lm.requests import Request, SteerRef, write_vectors
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.scratch.deberta import build_deberta
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchSfam, ScratchTokenizer
from sociolect.sfam.model import AgreementModel

__all__ = [
    "ARCHITECTURES",
    "LAYERS",
    "MODELS",
    "REVISION",
    "WIDTH",
    "make_hub",
    "need_vllm",
    "prompt_of",
    "requests_of",
    "save_deberta",
    "save_gguf",
    "save_llama",
    "save_model",
    "save_speaker",
    "save_tiny",
    "save_vectors",
    "steerings",
    "tiny",
    "tiny_agreement",
    "tiny_reader",
    "word_tokenizer",
]

# three blocks of every supported architecture, for the transformers backend

SMALL: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
}
GROUPED: dict[str, Any] = {**SMALL, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0}
ARCHITECTURES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "llama": (tf.LlamaConfig, tf.LlamaForCausalLM, GROUPED),
    "qwen2": (tf.Qwen2Config, tf.Qwen2ForCausalLM, {**SMALL, "num_key_value_heads": 2}),
    "qwen3": (tf.Qwen3Config, tf.Qwen3ForCausalLM, GROUPED),
    "mistral": (tf.MistralConfig, tf.MistralForCausalLM, {**GROUPED, "sliding_window": 4}),
    "gemma2": (tf.Gemma2Config, tf.Gemma2ForCausalLM, {**GROUPED, "sliding_window": 4}),
    "gemma3": (tf.Gemma3TextConfig, tf.Gemma3ForCausalLM, {**GROUPED, "sliding_window": 4}),
    "phi3": (tf.Phi3Config, tf.Phi3ForCausalLM, {**SMALL, "num_key_value_heads": 2, "pad_token_id": 0}),
    "olmo2": (tf.Olmo2Config, tf.Olmo2ForCausalLM, {**SMALL, "num_key_value_heads": 2, "pad_token_id": 0}),
    "gpt_neox": (tf.GPTNeoXConfig, tf.GPTNeoXForCausalLM, SMALL),
    "gpt2": (
        tf.GPT2Config,
        tf.GPT2LMHeadModel,
        {"vocab_size": 64, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64},
    ),
}
# with the special tokens as many as the vocabulary has
WORDS = [f"w{a}{b}" for a in "abcde" for b in "abcdefghij"]


def tiny(name: str, seed: int = 0) -> Any:
    """A random model of this architecture."""
    config, model, values = ARCHITECTURES[name]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return model(config(**values)).eval()


def word_tokenizer() -> Any:
    """A tokenizer of the words waa, wab, ..., wej."""
    return train_tokenizer([" ".join(WORDS)], ScratchTokenizer())


def save_tiny(model: Any, tokenizer: Any, folder: Path, sharper: float = 8) -> None:
    """Save a tiny model that is sharper than a fresh one, so that it has preferences; it ends now and then."""
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(sharper)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def save_speaker(folder: Path, tokenizer: Any) -> Path:
    """A Llama that feels what is added to the tokens before."""
    model = tiny("llama", seed=1)
    with torch.no_grad():
        # attention that matters: what is added to earlier tokens must be felt by later ones
        for name, weight in model.named_parameters():
            if "v_proj" in name or "o_proj" in name:
                weight.mul_(8)
    save_tiny(model, tokenizer, folder)
    return folder


def tiny_reader(folder: Path, text: str) -> TransformersBackend:
    """A Llama in this folder that knows the words of a text."""
    tiny("llama", seed=4).save_pretrained(folder)
    train_tokenizer([text], ScratchTokenizer()).save_pretrained(folder)
    return TransformersBackend(folder, 500, device="cpu")


# smaller still, where only files matter

REVISION = "a" * 40


def save_llama(folder: Path, tokenizer: Any) -> None:
    """A random Llama of two blocks for this tokenizer, which lies beside it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = tf.LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=64,
            eos_token_id=tokenizer.eos_token_id,
        )
        tf.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def save_deberta(folder: Path, texts: list[str]) -> None:
    """A tiny DeBERTa in the files of microsoft/deberta-v3-base: pickled weights, spm.model and no tokenizer.json."""
    # not in the environment of vLLM
    import sentencepiece

    folder.mkdir(parents=True)
    (folder / "texts.csv").write_text("\n".join(texts * 20))
    special: dict[str, Any] = {}
    for number, (name, piece) in enumerate({"pad": "[PAD]", "bos": "[CLS]", "eos": "[SEP]", "unk": "[UNK]"}.items()):
        special |= {f"{name}_id": number, f"{name}_piece": piece}
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "texts.csv"),
        model_prefix=str(folder / "spm"),
        model_type="unigram",
        vocab_size=96,
        hard_vocab_limit=False,
        minloglevel=2,
        **special,
    )
    (folder / "spm.vocab").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False, "vocab_type": "spm"}))
    values: dict[str, Any] = {
        # as there, more rows than pieces: [MASK] is added behind them
        "vocab_size": 128,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 48,
        "max_position_embeddings": 512,
        "type_vocab_size": 0,
        "position_biased_input": False,
        "relative_attention": True,
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "norm_rel_ebd": "layer_norm",
        "max_relative_positions": -1,
        "position_buckets": 16,
    }
    config = tf.DebertaV2Config(**values)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = tf.DebertaV2ForSequenceClassification(config)
    config.save_pretrained(folder)
    # a base model has no head
    state = {name: value for name, value in model.state_dict().items() if name.startswith("deberta.")}
    torch.save(state, folder / "pytorch_model.bin")


def make_hub(folder: Path) -> Path:
    """A folder in place of a hub, with tiny/llama at REVISION."""
    target = folder / "tiny" / "llama" / REVISION
    save_llama(target, train_tokenizer(["you use dots . what is it ?"], ScratchTokenizer()))
    (target / "pytorch_model.bin").write_bytes(b"pickled")
    return folder


def save_gguf(path: Path, quantized: bool = False, tokenizer: bool = True, architecture: str = "llama") -> Any:
    """A tiny Llama in a GGUF file, with a tokenizer of bytes, begin and end; returns the model, as it was."""
    # not in the environment of vLLM
    import gguf

    with torch.random.fork_rng():
        torch.manual_seed(3)
        # rows of 32, as quantization wants them
        values = {**GROUPED, "vocab_size": 260, "hidden_size": 32, "intermediate_size": 64, "head_dim": 8}
        model = tf.LlamaForCausalLM(tf.LlamaConfig(**values, initializer_range=0.3)).eval()
    writer, config = gguf.GGUFWriter(path, architecture), model.config
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    if tokenizer:
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list(["<s>", "</s>", *alphabet, "th", "the"])
        writer.add_token_types([3, 3, *[1] * (len(alphabet) + 2)])
        writer.add_token_merges(["t h", "th e"])
        writer.add_bos_token_id(0)
        writer.add_eos_token_id(1)
        writer.add_add_bos_token(True)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        values = weight.numpy()
        if ".q_proj" in name or ".k_proj" in name:
            # the file has the halves of each head's rotation interleaved
            heads = config.num_attention_heads if ".q_proj" in name else config.num_key_value_heads
            values = values.reshape(heads, 2, len(values) // heads // 2, -1).swapaxes(1, 2).reshape(values.shape)
        kind = gguf.GGMLQuantizationType.Q8_0 if quantized and values.ndim == 2 else gguf.GGMLQuantizationType.F32
        stem, suffix = name.rsplit(".", 1)
        writer.add_tensor(f"{names.get_name(stem)}.{suffix}", gguf.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


# SFAM


def tiny_agreement(
    tokenizer: Any, max_tokens: int = 40, n_outputs: int = 2, seed: int = 1, late: bool = True, hidden: int = 16
) -> AgreementModel:
    """A scratch agreement model of two blocks."""
    settings = ScratchSfam(hidden=hidden, layers=2, heads=2, max_positions=64)
    agreement = build_deberta(settings, tokenizer, max_tokens, n_outputs, seed, late)
    agreement.model.eval()
    return agreement


# for vLLM on a CPU, with steerings and requests

VOCABULARY, LAYERS, WIDTH = 384, 4, 64
COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "intermediate_size": 128,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    # vLLM's CPU kernels have no smaller one
    "head_dim": 32,
    "max_position_embeddings": 512,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "pad_token_id": 0,
    # large, so that the model has preferences and its answers vary
    "initializer_range": 0.3,
}
MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "llama": (tf.LlamaConfig, {}),
    "qwen2": (tf.Qwen2Config, {}),
    "qwen3": (tf.Qwen3Config, {}),
    "mistral": (tf.MistralConfig, {"sliding_window": 32}),
    "gemma2": (tf.Gemma2Config, {"sliding_window": 32, "query_pre_attn_scalar": 32}),
}
# so many that answers of some thirty tokens end by themselves now and then
ENDS = [3, *range(10, 16)]


def need_vllm() -> None:
    """Skip a module in an environment without vLLM; `make test` runs it with the one that has it."""
    # without vLLM the folder of these tests goes by its name: a package with nothing in it
    if getattr(find_spec("vllm"), "origin", None) is None:
        pytest.skip("this environment has no vLLM: make setup-vllm", allow_module_level=True)


def save_model(name: str, folder: Path, **other: Any) -> Path:
    """A random model of this architecture, with a tokenizer of whole words w0, w1, ..."""
    config, more = MODELS[name]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = tf.AutoModelForCausalLM.from_config(config(**{**COMMON, **more, **other}))
    if name == "gemma2":
        # its output layer is its embedding: without blocks that weigh more it only repeats the last token
        for block in model.model.layers:
            block.post_feedforward_layernorm.weight.data.fill_(7)
    model.generation_config.eos_token_id = ENDS
    model.save_pretrained(folder)
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(VOCABULARY)}, unk_token="w1"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"pad_token": "w0", "unk_token": "w1", "bos_token": "w2", "eos_token": "w3"}
    tf.PreTrainedTokenizerFast(tokenizer_object=words, **special).save_pretrained(folder)
    return folder


def save_vectors(path: Path, model: Any, seed: int = 3) -> str:
    """Vectors a, b, c, d: another random direction for every layer, as long as the residual stream is there."""
    rows = np.random.default_rng(seed).standard_normal((4, LAYERS, WIDTH))
    norms = residual_norms(model, [prompt_of(0, 2)], [prompt_of(0, 40)[2:]], 64)
    rows *= np.asarray(norms)[:, None] / np.linalg.norm(rows, axis=2, keepdims=True)
    write_vectors({key: torch.from_numpy(value) for key, value in zip("abcd", rows, strict=True)}, path)
    return str(path)


def steerings(file: str) -> list[SteerRef | None]:
    """No steering, and seven that differ in vector, layers, strength and positions."""
    return [
        None,
        SteerRef(file, "a", (1,), 1.0, "all"),
        SteerRef(file, "a", (1,), 1.5, "generated"),
        SteerRef(file, "b", (0, 2), 2.0, "last"),
        SteerRef(file, "b", (3,), 0.7, "all"),
        SteerRef(file, "c", (0, 1, 2, 3), 3.0, "generated"),
        SteerRef(file, "c", (2,), 1.0, "last"),
        SteerRef(file, "d", (0,), 1.0, "generated"),
    ]


def prompt_of(seed: int, length: int) -> tuple[int, ...]:
    """A random prompt that begins with the beginning token."""
    return (2, *(int(t) for t in np.random.default_rng(seed).integers(16, VOCABULARY, length - 1)))


def requests_of(file: str, lengths: list[int], **more: Any) -> list[Request]:
    """One request per length; they take the steerings in turn, and differ in how many tokens they want."""
    refs, made = steerings(file), []
    for i, length in enumerate(lengths):
        values = {"max_new_tokens": 20 + 4 * (i % 5), "temperature": 0.0, "top_p": 1.0, "seed": 7919 * i, **more}
        made.append(Request(f"r{i:02d}", prompt_of(i, length), steer=refs[i % len(refs)], **values))
    return made
