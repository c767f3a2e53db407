"""Tiny random models of many families that transformers knows, each with every kind of layer it has."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

__all__ = ["ATTENTION", "FAMILIES", "OTHERS", "REFUSED", "family"]

_COMMON: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "bos_token_id": 2,
}
_HEADS: dict[str, Any] = {"head_dim": 8}
_EXPERTS: dict[str, Any] = {
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
}
_LATENT: dict[str, Any] = {
    "num_key_value_heads": 4,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 8,
    "v_head_dim": 8,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
    **_EXPERTS,
}
_WINDOW: dict[str, Any] = {**_HEADS, "sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"] * 2}
_DELTA: dict[str, Any] = {
    **_HEADS,
    "layer_types": ["linear_attention", "full_attention"] * 2,
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}
_MAMBA: dict[str, Any] = {
    "mamba_n_heads": 8,
    "mamba_d_head": 8,
    "mamba_n_groups": 2,
    "mamba_d_state": 4,
    "mamba_chunk_size": 4,
}
_CONV: dict[str, Any] = {"layer_types": ["conv", "full_attention"] * 2}
_SHARED: dict[str, Any] = {
    "layers_block_type": ["linear_attention", "hybrid"] * 2,
    "num_key_value_heads": 4,
    "mamba_d_state": 4,
}
ATTENTION: dict[str, dict[str, Any]] = {
    "bloom": {},
    "cohere2": _WINDOW,
    "deepseek_v3": _LATENT,
    "ernie4_5": _HEADS,
    "exaone4": _WINDOW,
    "falcon": {},
    "gemma": _HEADS,
    "gemma4_text": {
        **_WINDOW, "global_head_dim": 8, "num_kv_shared_layers": 1,
        "hidden_size_per_layer_input": 8, "vocab_size_per_layer_input": 64,
    },
    "glm4": _HEADS,
    "gpt_oss": {**_WINDOW, **_EXPERTS},
    "granite": _HEADS,
    "granitemoe": _EXPERTS,
    "llama": _HEADS,
    "mixtral": {**_HEADS, **_EXPERTS},
    "olmo3": _WINDOW,
    "olmoe": _EXPERTS,
    "qwen3_moe": {**_HEADS, **_EXPERTS},
    "smollm3": _HEADS,
    "stablelm": {},
    "starcoder2": {"sliding_window": 4},
}  # fmt: skip
# those that keep something beside keys and values, or in their place; "+bias": with a bias before the state
OTHERS: dict[str, dict[str, Any]] = {
    "bamba": {"attn_layer_indices": [1, 3], **_MAMBA},
    "bamba+bias": {"attn_layer_indices": [1, 3], **_MAMBA, "mamba_proj_bias": True},
    "falcon_h1": {**_HEADS, **_MAMBA, "mamba_d_ssm": 64},
    "falcon_mamba": {"state_size": 4},
    # as with real ones, more tokens are attended to than there are: of equal scores another one would be taken
    "glm_moe_dsa": {**_LATENT, "index_n_heads": 2, "index_head_dim": 16, "index_topk": 64},
    "granitemoehybrid": {
        **_EXPERTS, **_MAMBA, "layers_block_type": ["mamba", "attention"] * 2, "shared_intermediate_size": 16,
    },
    "jamba": {**_EXPERTS, "attn_layer_period": 2, "attn_layer_offset": 1, "mamba_d_state": 4, "mamba_dt_rank": 4},
    "kimi_linear": {
        **_LATENT, "layer_types": ["linear_attention", "full_attention"] * 2,
        "linear_head_dim": 8, "linear_num_heads": 4,
    },
    "lfm2": {**_CONV, "block_multiple_of": 8},
    "lfm2+bias": {**_CONV, "block_multiple_of": 8, "conv_bias": True},
    "lfm2_moe": {**_CONV, **_EXPERTS, "num_dense_layers": 1},
    "mamba": {"state_size": 4},
    "mamba2": {"num_heads": 8, "head_dim": 8, "n_groups": 2, "state_size": 4, "chunk_size": 4},
    "nemotron_h": {
        **_HEADS, **_EXPERTS, "layers_block_type": ["mamba", "attention", "mlp", "moe"], "mamba_num_heads": 8,
        "mamba_head_dim": 8, "n_groups": 2, "ssm_state_size": 4, "chunk_size": 4, "n_shared_experts": 1,
        "moe_shared_expert_intermediate_size": 16, "n_group": 1, "topk_group": 1,
    },
    "olmo_hybrid": {**_DELTA, "linear_num_key_heads": 4},
    "qwen3_5_moe_text": {**_DELTA, **_EXPERTS},
    "qwen3_5_text": _DELTA,
    "qwen3_next": {**_DELTA, **_EXPERTS},
    "zamba": {**_SHARED, "n_mamba_heads": 2, "mamba_dt_rank": 4},
    "zamba2": {**_SHARED, "n_mamba_heads": 8, "mamba_ngroups": 2, "chunk_size": 4},
    "zaya": {
        **_HEADS, **_EXPERTS, "num_experts_per_tok": 1, "router_hidden_size": 16, "sliding_window": 4,
        "layer_types": ["hybrid", "hybrid_sliding"] * 2,
    },
}  # fmt: skip
FAMILIES = {**ATTENTION, **OTHERS}
# several residual streams, or a cache of their own
REFUSED: dict[str, dict[str, Any]] = {
    "deepseek_v4": {**_EXPERTS, "head_dim": 8, "q_lora_rank": 16, "qk_rope_head_dim": 8},
    "gemma3n_text": {
        **_WINDOW, "num_kv_shared_layers": 2, "laurel_rank": 4,
        "hidden_size_per_layer_input": 8, "vocab_size_per_layer_input": 64,
    },
    "minimax": {**_HEADS, **_EXPERTS, "layer_types": ["linear_attention", "full_attention"] * 2, "block_size": 4},
    "recurrent_gemma": {"attention_window_size": 4, "lru_width": 32},
}  # fmt: skip


def family(name: str, seed: int = 2) -> Any:
    """A random model of this family whose every weight counts, biases and norms too."""
    values = {**FAMILIES, **REFUSED}[name]
    config = AutoConfig.for_model(name.removesuffix("+bias"), **{**_COMMON, **values})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config).eval()
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(torch.randn_like(weight), alpha=0.1)
            # so that it has preferences
            model.get_output_embeddings().weight.mul_(4)
    return model
