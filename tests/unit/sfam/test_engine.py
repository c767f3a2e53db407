"""The engine: the scores of transformers' own forward, at every length and for every kind of DeBERTa-v2."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

from conftest import skip_here
from sociolect.common.errors import InputError
from sociolect.sfam.engine import Engine, PairBatch, flash_attention, supported
from sociolect.sfam.precision import autocast

LONGEST = 512
VOCABULARY = 300
# deberta-v3: no absolute positions, no token types; deberta-v2: as its xlarge, with a convolution beside block 0
STYLES: dict[str, dict[str, Any]] = {
    "v3": {},
    "v2": {"conv_kernel_size": 3, "conv_act": "gelu"},
    "v2-biased": {"position_biased_input": True, "type_vocab_size": 2},
    "own-projections": {"share_att_key": False},
    "c2p": {"pos_att_type": ["c2p"]},
    "p2c": {"pos_att_type": ["p2c"]},
    "no-buckets": {"position_buckets": -1, "max_relative_positions": 64},
    "few-buckets": {"position_buckets": 16},
    "absolute": {"relative_attention": False, "pos_att_type": [], "position_biased_input": True},
    "one-block": {"num_hidden_layers": 1},
    "one-block-conv": {"num_hidden_layers": 1, "conv_kernel_size": 3},
    "narrow-embedding": {"embedding_size": 32},
}

pytestmark = pytest.mark.usefixtures("one_thread")


def classifier(**changes: Any) -> Any:
    base = {
        "vocab_size": VOCABULARY,
        "hidden_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "max_position_embeddings": LONGEST,
        "position_buckets": 256,
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
        "share_att_key": True,
        "norm_rel_ebd": "layer_norm",
        "position_biased_input": False,
        "type_vocab_size": 0,
        "num_labels": 2,
        # weights as large as trained ones: scores spread, so that a wrong term shows
        "initializer_range": 0.1,
    }
    config: Any = DebertaV2Config
    torch.manual_seed(0)
    model = DebertaV2ForSequenceClassification(config(**{**base, **changes})).eval()
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter, std=0.05)
    return model


def batch(lengths: list[int], seed: int = 0) -> PairBatch:
    rng = np.random.default_rng(seed)
    shape = (len(lengths), max(lengths))
    ids = rng.integers(0, VOCABULARY, shape)  # padding's own id among them
    types = (np.arange(shape[1]) >= 2).astype(np.int64)[None].repeat(shape[0], axis=0)
    return PairBatch.of(ids, types, np.array(lengths))


def plain(model: Any, pairs: PairBatch) -> torch.Tensor:
    mask = torch.from_numpy((np.arange(pairs.ids.shape[1]) < pairs.lengths[:, None]).astype(np.int64))
    ids, types = torch.from_numpy(pairs.ids), torch.from_numpy(pairs.types)
    with torch.inference_mode():
        return model(input_ids=ids, token_type_ids=types, attention_mask=mask).logits.softmax(-1)


@pytest.mark.parametrize("style", STYLES)
def test_scores_equal_the_plain_forward_at_every_length(style: str) -> None:
    model = classifier(**STYLES[style])
    fp32, bf16 = Engine(model, "fp32"), Engine(model, "bf16")
    spread = []
    for length in (1, 2, 3, 16, 17, 64, 127, 128, 129, 200, 257, 300, LONGEST):
        # the longest alone (no padding), and beside shorter ones
        for lengths in ([length, length], sorted({1, max(1, length // 2), max(1, length - 1), length})):
            pairs = batch(lengths, seed=length)
            wanted = plain(model, pairs)
            spread.append(wanted[:, 0])
            assert (fp32(pairs).softmax(-1) - wanted).abs().max() <= 1e-5, (length, lengths)
            assert (bf16(pairs).softmax(-1) - wanted).abs().max() <= 5e-3, (length, lengths)
    assert torch.cat(spread).std() > 0.03, "all scores are alike: the comparison says nothing"


def test_more_padding_as_a_gpu_likes_it_changes_nothing() -> None:
    model, pairs = classifier(), batch([33, 20])
    padded = PairBatch.of(pairs.ids, pairs.types, pairs.lengths, "cuda")
    assert padded.ids.shape == (2, 40)
    torch.testing.assert_close(Engine(model)(padded), Engine(model)(pairs), atol=1e-5, rtol=0)


def test_wide_model_and_large_weights() -> None:
    model = classifier(hidden_size=768, num_attention_heads=12, intermediate_size=3072, initializer_range=0.04)
    pairs = batch([150, 149, 80, 3])
    wanted = plain(model, pairs)
    assert (Engine(model)(pairs).softmax(-1) - wanted).abs().max() <= 1e-4
    assert (Engine(model, "bf16")(pairs).softmax(-1) - wanted).abs().max() <= 5e-3


def test_compiled_scores_are_the_same() -> None:
    if not (shutil.which("g++") or shutil.which("clang++")):
        skip_here("no C++ compiler: apt-get install g++")
    # two blocks: the second is the one that reads [CLS] alone
    model = classifier(num_hidden_layers=2, pos_att_type=["c2p"])
    engine = Engine(model, compiled=True)
    for lengths in ([24, 20], [40, 31, 7]):
        pairs = batch(lengths)
        assert (engine(pairs).softmax(-1) - plain(model, pairs)).abs().max() <= 1e-4


def test_without_bfloat16_in_hardware_it_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sociolect.sfam.precision.has_bf16", lambda device: False)
    model, pairs = classifier(), batch([33, 20])
    assert torch.equal(Engine(model, "bf16")(pairs), Engine(model, "fp32")(pairs))
    with autocast(torch.device("cpu"), "bf16"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_no_engine_for_other_models() -> None:
    from transformers import BertConfig, BertForSequenceClassification

    config: Any = BertConfig
    model = BertForSequenceClassification(
        config(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    )
    assert not supported(model)
    with pytest.raises(InputError, match="'bert' has no engine"):
        Engine(model)


def exact_kernel(model: Any, wrong: float = 0.0) -> Callable[..., torch.Tensor]:
    """What flashdeberta computes, in plain torch from its arguments, with an error added."""
    from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

    def kernel(
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        lengths: torch.Tensor,
        key: torch.Tensor,
        query: torch.Tensor,
        causal: bool,
        scale: float,
        buckets: int,
        longest: int,
    ) -> torch.Tensor:
        n = q.shape[2]
        distance = torch.arange(n)[:, None] - torch.arange(n)
        index = make_log_bucket_position(distance, buckets, longest).long() + buckets
        c2p = torch.einsum("bhid,hijd->bhij", q.float(), key[0].float()[:, index])
        p2c = torch.einsum("bhjd,hijd->bhij", k.float(), query[0].float()[:, index])
        scores = (q.float() @ k.float().transpose(2, 3) + c2p + p2c) * scale
        scores = scores.masked_fill(~(torch.arange(n) < lengths[:, None])[:, None, None], float("-inf"))
        return ((scores.softmax(-1) + wrong) @ v.float()).to(q.dtype)

    return kernel


@pytest.mark.parametrize("case", ["agrees", "differs", "fails", "absent"])
def test_flashdeberta_is_used_only_if_its_scores_agree(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = classifier(max_position_embeddings=64)
    engine = Engine(model, "bf16")
    wanted = plain(model, batch([33, 8]))

    def broken(*_: object) -> torch.Tensor:
        raise RuntimeError("no such GPU")

    kernel: dict[str, Any] = {
        "agrees": exact_kernel(model),
        "differs": exact_kernel(model, 0.01),
        "fails": broken,
        "absent": None,
    }
    ops = type("Ops", (), {"flash_attention_with_disentangled": staticmethod(kernel[case])} if kernel[case] else {})
    # where release 0.0.8 has it; the package above names nothing
    monkeypatch.setattr("importlib.import_module", {"flashdeberta.ops.flash_attention": ops}.__getitem__)
    engine._choose_flash()
    assert (engine._flash is not None) == (case == "agrees")
    assert (engine(batch([33, 8])).softmax(-1) - wanted).abs().max() <= 5e-3
    if case == "agrees":
        attend = flash_attention(engine, broken)
        monkeypatch.setattr(engine, "_flash", attend)
        with pytest.raises(RuntimeError, match="no such GPU"):
            engine(batch([33, 8]))  # so the kernel really was in use
