"""Linear layers of a model on a CPU, with their weights laid out once for oneDNN's kernels.

PyTorch hands float32 products of few rows to a kernel that lays out a large weight anew for every call; for the output
layer of a vocabulary of 262,144 that takes longer than the product. In bfloat16 nothing is changed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

__all__ = ["PackedLinear", "pack_linears"]

# rows that the layout is chosen for: a batch that generates
ROWS = 32
# its weight is read by others: Mamba's scan multiplies with it
_READ = {"dt_proj"}


class PackedLinear(nn.Module):
    """A linear layer [.., in] -> [.., out] with a packed weight; not for training.

    Args:
        linear: float32, on a CPU. Its weight is kept where `keep` says so, for who reads it (tied embeddings).
    """

    def __init__(self, linear: nn.Linear, keep: bool) -> None:
        super().__init__()
        self.in_features, self.out_features, self.bias = linear.in_features, linear.out_features, linear.bias
        # some models ask for its dtype
        self.weight = linear.weight if keep else nn.Parameter(linear.weight.new_empty(0), requires_grad=False)
        # no buffer: a packed tensor can be neither moved nor saved
        self._packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), ROWS)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """The product, and the bias."""
        return torch.ops.mkldnn._linear_pointwise(hidden, self._packed, self.bias, "none", [], "")


def pack_linears(model: Any) -> None:
    """Replace the linear layers of a model whose weights are float32 on a CPU; others stay as they are."""
    if not torch.backends.mkldnn.is_available():
        return
    output = model.get_output_embeddings()
    # no list of the layers: each one's weight is let go before the next is packed
    for parent in [module for module in model.modules() if not isinstance(module, nn.Linear)]:
        for name, child in list(parent.named_children()):
            if name in _READ:
                continue
            # a subclass may do something else
            if type(child) is nn.Linear and child.weight.device.type == "cpu" and child.weight.dtype == torch.float32:
                setattr(parent, name, PackedLinear(child, keep=child is output))
