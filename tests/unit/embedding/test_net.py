"""The embedding net's file, and the nearest group."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sociolect.common.errors import InputError
from sociolect.embedding.net import EmbeddingNet, embed, load_net, nearest_group, save_net


def test_the_file_keeps_net_standardization_and_hyperparameters(tmp_path: Path) -> None:
    net = EmbeddingNet(4, 8, 2, 0.3, 0.1)
    net.reset(torch.Generator().manual_seed(0))
    style = np.random.default_rng(0).uniform(0, 1, (50, 4)) * [1, 1, 1, 0] + [0, 0, 0, 0.25]
    net.standardize(torch.tensor(style, dtype=torch.float32))
    assert float(net.std[3]) == 1.0 and float(net.mean[3]) == 0.25
    for name in ("a", "b"):
        save_net(net, tmp_path / name, {"distance": "cosine", "margin": 0.2})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    again, hyper = load_net(tmp_path / "a")
    assert (hyper["distance"], hyper["margin"]) == ("cosine", 0.2)
    assert (again.dropout, again.input_dropout) == (0.3, 0.1)
    assert np.array_equal(embed(again, style), embed(net, style))
    assert np.allclose(embed(net, style), net(torch.tensor(style).float()).detach().numpy(), atol=1e-5)
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:100])
    with pytest.raises(InputError, match="not a whole embedding net"):
        load_net(tmp_path / "a")
    with pytest.raises(InputError, match="different catalogues"):
        embed(net, style[:, :3])


def test_attributes_are_dropped_at_their_rate_and_only_with_a_generator() -> None:
    net = EmbeddingNet(2000, 0, 2000, 0.0, 0.25)
    torch.nn.init.eye_(net.output.weight)
    torch.nn.init.zeros_(net.output.bias)
    with torch.no_grad():
        dropped = net(torch.ones(1, 2000), torch.Generator().manual_seed(0))[0]
        whole = net(torch.ones(1, 2000))[0]
    assert set(dropped.tolist()) == {0.0, float(torch.tensor(1.0) / 0.75)} and bool((whole == 1).all())
    assert abs(float((dropped == 0).float().mean()) - 0.25) < 0.04  # 4 standard errors


def test_a_tie_goes_to_the_smallest_name() -> None:
    centers = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert nearest_group(np.array([[0.0, 1.0], [0.2, 0.0]]), centers, ["med", "art"], "euclidean") == ["art", "med"]
