"""The cross-encoder's forward for scoring: the same scores as transformers' DeBERTa-v2, several times as fast.

What is done once instead of once per batch: the projections of the relative positions, and the fused query, key and
value weights. What is left out because it changes nothing: distances that a sequence does not have, all rows but
[CLS] in the last block, and in block 0 the projections of tokens that the batch holds already (without absolute
positions their states are equal). The relative-position bias (disentangled attention, He et al. 2021) is read off by
strides instead of gathered: with one table column per distance, row i of the product is the row of the bias, shifted.
"""

from __future__ import annotations

import importlib
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional as F
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

from sociolect.common.errors import InputError
from sociolect.sfam.precision import Precision, usable

Tensors = dict[str, torch.Tensor]
# of a score, in bf16; or as much more as bfloat16 itself is off
FLASH_TOLERANCE, FLASH_SHARE = 5e-3, 1.5
PLAIN = "plain"
# rows of the bias that are made together: few have few distances, many make few products
ROWS = {"cpu": 48, "cuda": 128}
# fused attention on a GPU wants the rows of the bias aligned
MULTIPLE = {"cuda": 8}
log = logging.getLogger("sociolect")


@dataclass(frozen=True)
class PairBatch:
    """A padded batch of pairs on the host.

    Attributes:
        ids: token ids, int64 [n, N].
        types: 1 on the answer, int64 [n, N].
        lengths: tokens per pair, int64 [n].
        unique: ids and types of the distinct tokens, int64 [2, U]; the last one stands for padding.
        index: which of them is where, int64 [n, N].
    """

    ids: np.ndarray
    types: np.ndarray
    lengths: np.ndarray
    unique: np.ndarray
    index: np.ndarray

    @classmethod
    def of(cls, ids: np.ndarray, types: np.ndarray, lengths: np.ndarray, device: str = "cpu") -> PairBatch:
        """Find the distinct tokens of padded ids and types [n, N]; pad further where the device likes it better."""
        more = -ids.shape[1] % MULTIPLE.get(device, 1)
        ids, types = (np.pad(x, ((0, 0), (0, more))) for x in (ids, types))
        real = np.arange(ids.shape[1]) < lengths[:, None]
        keys, inverse = np.unique(ids[real] * 2 + types[real], return_inverse=True)
        index = np.full(ids.shape, len(keys), dtype=np.int64)
        index[real] = inverse
        return cls(ids, types, lengths, np.stack([np.append(keys // 2, 0), np.append(keys % 2, 0)]), index)

    def tensors(self, device: torch.device) -> Tensors:
        """On the device; the copy does not wait where it need not."""
        mask = np.arange(self.ids.shape[1]) < self.lengths[:, None]
        arrays = {
            "ids": self.ids,
            "types": self.types,
            "mask": mask,
            "lengths": self.lengths,
            "unique": self.unique,
            "index": self.index,
        }
        found = {name: torch.from_numpy(array) for name, array in arrays.items()}
        if device.type != "cuda":
            return found
        return {name: t.pin_memory().to(device, non_blocking=True) for name, t in found.items()}


class Seen(NamedTuple):
    """What a block's attention works with.

    Attributes:
        q, k, v: queries, keys and values, [H, n N, d].
        block: the block's weights.
        positions: as `Engine._positions`.
        lengths: tokens per pair [n].
        mask: bool [n, N], False on padding; None where there is none.
    """

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    block: Tensors
    positions: torch.Tensor | None
    lengths: torch.Tensor
    mask: torch.Tensor | None


def supported(model: Any) -> bool:
    """Whether the engine knows this classifier: a DeBERTa-v2 or -v3."""
    return bool(model.config.model_type == "deberta-v2" and hasattr(model, "pooler"))


class Engine:
    """Logits of pairs. Weights are taken over when it is made; a model that is trained on needs a new one.

    Args:
        model: DebertaV2ForSequenceClassification, on its device.
        precision: bf16 keeps products in bfloat16, and sums of blocks, norms and the head in float32; a device without
            bfloat16 computes in float32.
        compiled: let torch.compile fuse what it can; the first batches then take minutes.

    Attributes:
        kernel: of attention: plain or flashdeberta. They round at different places.

    Raises:
        InputError: the model is none that the engine knows.
    """

    def __init__(self, model: Any, precision: Precision = "fp32", compiled: bool = False) -> None:
        if not supported(model):
            raise InputError(f"a model of type {model.config.model_type!r} has no engine; use a deberta-v2 or -v3")
        self.model = model.eval()
        self.config = model.config
        self.device = next(model.parameters()).device
        self.rows = ROWS.get(self.device.type, ROWS["cuda"])
        self.dtype = torch.bfloat16 if usable(precision, self.device) == "bf16" else torch.float32
        attention = model.deberta.encoder.layer[0].attention.self
        self.heads, self.size = attention.num_attention_heads, attention.attention_head_size
        terms = [t for t in ("c2p", "p2c") if t in attention.pos_att_type]
        self.scale = 1 / math.sqrt(self.size * (1 + len(terms)))
        if not attention.relative_attention:
            terms = []
        self.span = attention.pos_ebd_size if terms else 0
        with torch.inference_mode():
            table = model.deberta.encoder.get_rel_embedding()
            self.blocks = [self._block(layer, table, terms) for layer in model.deberta.encoder.layer]
        self._of_distance: dict[int, torch.Tensor] = {}
        self._flash: Callable[..., torch.Tensor] | None = None
        self.kernel = PLAIN
        self._run: Callable[..., torch.Tensor] = self._forward
        if self.device.type == "cuda" and self.dtype == torch.bfloat16 and terms:
            self._choose_flash()
        if compiled:
            self._run = torch.compile(self._forward, dynamic=True)

    @torch.inference_mode()
    def __call__(self, batch: PairBatch) -> torch.Tensor:
        """Logits, float32 [n, outputs], on the model's device."""
        inputs = batch.tensors(self.device)
        full = bool((batch.lengths == batch.ids.shape[1]).all())
        return self._run(inputs, self._positions(batch.ids.shape[1]), full)

    def _block(self, layer: Any, table: torch.Tensor | None, terms: list[str]) -> Tensors:
        attention, output = layer.attention.self, layer.attention.output
        projections = [attention.query_proj, attention.key_proj, attention.value_proj]
        block = {
            "qkv": torch.cat([p.weight for p in projections]),
            "qkv_bias": torch.cat([p.bias for p in projections]),
            "out": output.dense.weight,
            "out_bias": output.dense.bias,
            "up": layer.intermediate.dense.weight,
            "up_bias": layer.intermediate.dense.bias,
            "down": layer.output.dense.weight,
            "down_bias": layer.output.dense.bias,
        }
        for term in terms:
            if attention.share_att_key:
                project = attention.key_proj if term == "c2p" else attention.query_proj
            else:
                project = attention.pos_key_proj if term == "c2p" else attention.pos_query_proj
            assert table is not None
            # [H, positions, d]
            block[term] = project(table[: 2 * self.span]).unflatten(-1, (self.heads, self.size)).transpose(0, 1)
        block = {name: value.to(self.dtype).contiguous() for name, value in block.items()}
        norms = {"norm1": output.LayerNorm, "norm2": layer.output.LayerNorm}
        for name, norm in norms.items():
            block[name], block[f"{name}_bias"] = norm.weight.float(), norm.bias.float()
        return {name: value.detach() for name, value in block.items()}

    def _positions(self, n: int) -> torch.Tensor | None:
        """Row of the table of relative positions for each distance query - key from -(n - 1) to n - 1, [2 n - 1]."""
        if not self.span:
            return None
        if n not in self._of_distance:
            encoder = self.model.deberta.encoder
            distance = torch.arange(1 - n, n, device=self.device)
            if encoder.position_buckets > 0:
                distance = make_log_bucket_position(distance, encoder.position_buckets, encoder.max_relative_positions)
            self._of_distance[n] = (distance.long() + self.span).clamp(0, 2 * self.span - 1)
        return self._of_distance[n]

    def _forward(self, inputs: Tensors, positions: torch.Tensor | None, full: bool) -> torch.Tensor:
        mask = inputs["mask"]
        n, length = mask.shape
        blocks, conv = self.blocks, self.model.deberta.encoder.conv
        state, qkv = self._embed(inputs, blocks[0])
        embedded = state
        act = self.model.deberta.encoder.layer[0].intermediate.intermediate_act_fn
        for number, block in enumerate(blocks):
            if number:
                qkv = F.linear(state.to(self.dtype), block["qkv"], block["qkv_bias"])
            # the head reads [CLS] alone: the last block needs no other row
            last = number == len(blocks) - 1 and not (number == 0 and conv is not None)
            attend = self._attend_cls if last else self._flash or self._attend
            q, k, v = qkv.view(n * length, 3, self.heads, self.size).permute(1, 2, 0, 3).unbind(0)
            context = attend(Seen(q, k, v, block, positions, inputs["lengths"], None if full else mask))
            if last:
                state = state[:, :1]
            hidden = self._norm(F.linear(context, block["out"], block["out_bias"]), state, block, "norm1")
            inner = act(F.linear(hidden.to(self.dtype), block["up"], block["up_bias"]))
            state = self._norm(F.linear(inner, block["down"], block["down_bias"]), hidden, block, "norm2")
            if number == 0 and conv is not None:
                state = conv(embedded, state, mask.long())
        return self.model.classifier(self.model.pooler(state)).float()

    def _embed(self, inputs: Tensors, block: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
        """States before block 0, float32 [n, N, h], and their queries, keys and values [n, N, 3 h]."""
        embeddings = self.model.deberta.embeddings
        if embeddings.position_embeddings is not None and embeddings.position_biased_input:
            state = embeddings(inputs["ids"], token_type_ids=inputs["types"], mask=inputs["mask"]).float()
            return state, F.linear(state.to(self.dtype), block["qkv"], block["qkv_bias"])
        ids, types = inputs["unique"]
        real = torch.arange(len(ids), device=ids.device) < len(ids) - 1
        state = embeddings(ids[None], token_type_ids=types[None], mask=real[None])[0].float()
        qkv = F.linear(state.to(self.dtype), block["qkv"], block["qkv_bias"])
        return F.embedding(inputs["index"], state), F.embedding(inputs["index"], qkv)

    def _norm(self, x: torch.Tensor, residual: torch.Tensor, block: Tensors, name: str) -> torch.Tensor:
        weight, bias = block[name], block[f"{name}_bias"]
        return F.layer_norm(x + residual, weight.shape, weight, bias, self.config.layer_norm_eps)

    def _attend(self, seen: Seen) -> torch.Tensor:
        """Context [n, N, h]."""
        q, k, v, block, positions, lengths, mask = seen
        n = len(lengths)
        length = q.shape[1] // n
        bias = None if positions is None else self._bias(q, k, block, positions, n)
        if mask is not None:
            lowest = torch.finfo(self.dtype).min
            padding = torch.zeros(mask.shape, dtype=self.dtype, device=mask.device).masked_fill_(~mask, lowest)
            bias = padding[:, None, None, :] if bias is None else bias.add_(padding[:, None, None, :])
        q, k, v = (x.unflatten(1, (n, length)).transpose(0, 1) for x in (q, k, v))
        context = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=self.scale)
        return context.transpose(1, 2).reshape(n, length, -1)

    def _bias(self, q: torch.Tensor, k: torch.Tensor, block: Tensors, positions: torch.Tensor, n: int) -> torch.Tensor:
        """Scaled relative-position bias [n, H, N, N]; row i, column j is c2p[i, i - j] + p2c[j, i - j]."""
        heads, length = self.heads, q.shape[1] // n
        bias = torch.empty(heads, n, length, length, dtype=q.dtype, device=q.device)
        # both products have one row per token and one column per distance: a shifted view of each is the bias
        for first, term, x, columns in (
            (True, "c2p", q, positions.flip(0)),
            (False, "p2c", k, positions),
        ):
            if term not in block:
                continue
            table = (block[term] * self.scale)[:, columns].transpose(1, 2)
            x = x.unflatten(1, (n, length))
            for start in range(0, length, self.rows):
                rows = min(self.rows, length - start)
                # distances that these rows have; a column of the table for each
                low = length - start - rows
                width = length + rows - 1
                product = torch.bmm(x[:, :, start : start + rows].flatten(1, 2), table[:, :, low : low + width])
                view = product.as_strided(
                    (heads, n, rows, length), (n * rows * width, rows * width, width - 1, 1), rows - 1
                )
                if term == "p2c":
                    part = bias[:, :, :, start : start + rows]
                    view = view.transpose(2, 3)
                else:
                    part = bias[:, :, start : start + rows]
                if first or "c2p" not in block:
                    part.copy_(view)
                else:
                    part.add_(view)
        return bias.transpose(0, 1)

    def _attend_cls(self, seen: Seen) -> torch.Tensor:
        """What [CLS] alone gathers: [n, 1, h]."""
        q, k, v, block, positions, lengths, mask = seen
        n = len(lengths)
        q, k, v = (x.unflatten(1, (n, -1)).transpose(0, 1) for x in (q, k, v))
        q = q[:, :, :1]
        scores = q @ k.transpose(2, 3)
        if positions is not None:
            # [CLS] is token 0: its distances are 0, -1, ...
            rows = positions[: k.shape[2]].flip(0)
            if "c2p" in block:
                scores = scores + q @ block["c2p"][:, rows].transpose(1, 2)
            if "p2c" in block:
                scores = scores + (k * block["p2c"][:, rows]).sum(-1)[:, :, None]
        scores = scores.float() * self.scale
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None, None, :], torch.finfo(scores.dtype).min)
        return (torch.softmax(scores, dim=-1).to(v.dtype) @ v).transpose(1, 2).flatten(2)

    def _choose_flash(self) -> None:
        """Take flashdeberta's fused kernel where it is installed and as near to float32 scores as attention without it.

        On random pairs. The kernel rounds at other places, so that the two bfloat16 ways differ from each other, too.
        """
        try:
            kernel = importlib.import_module("flashdeberta.ops.flash_attention").flash_attention_with_disentangled
        except (ImportError, AttributeError):
            return
        batch = _random_batch(self.config)
        exact = torch.sigmoid(Engine(self.model)(batch))
        usual = float((torch.sigmoid(self(batch)) - exact).abs().max())
        self._flash = flash_attention(self, kernel)
        try:
            difference = float((torch.sigmoid(self(batch)) - exact).abs().max())
        except Exception as error:  # whatever a kernel that does not fit this GPU raises
            log.warning("flashdeberta fails here (%s: %s); going on without it", type(error).__name__, error)
            self._flash = None
            return
        if difference <= max(FLASH_TOLERANCE, FLASH_SHARE * usual):
            self.kernel = "flashdeberta"
            log.info("attention by flashdeberta: scores off by %.2g, %.2g without it", difference, usual)
        else:
            log.warning(
                "scores by flashdeberta are off by %.2g, %.2g without it; going on without it", difference, usual
            )
            self._flash = None


def flash_attention(engine: Engine, kernel: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """The engine's attention by a fused kernel with flashdeberta's arguments."""
    encoder = engine.model.deberta.encoder

    def attend(seen: Seen) -> torch.Tensor:
        q, k, v, block, _, lengths, _ = seen
        q, k, v = (x.unflatten(1, (len(lengths), -1)).transpose(0, 1).contiguous() for x in (q, k, v))
        key, query = (block[term][None] if term in block else None for term in ("c2p", "p2c"))
        buckets, longest = max(0, encoder.position_buckets), encoder.max_relative_positions
        context = kernel(q, k, v, lengths.int(), key, query, False, engine.scale, buckets, longest)
        return context.transpose(1, 2).flatten(2)

    return attend


def _random_batch(config: Any) -> PairBatch:
    """Pairs of random tokens, one of them as long as the model takes."""
    rng = np.random.default_rng(0)
    longest = config.max_position_embeddings
    lengths = np.array([longest, longest // 2 + 1, 9, 3])
    types = (np.arange(longest) >= 7).astype(np.int64)[None].repeat(len(lengths), axis=0)
    return PairBatch.of(rng.integers(1, config.vocab_size, (len(lengths), longest)), types, lengths)
