"""Group profiles by hand, distinctive attributes, bootstrap, weights."""

import numpy as np
import polars as pl
import pytest
import torch

from sociolect.common.artifacts import check_table, matrix, vectors
from sociolect.common.errors import InputError
from sociolect.common.schemas import GROUP_DISTANCES, GROUPS
from sociolect.embedding.net import EmbeddingNet, embed
from sociolect.embedding.profiles import distinctive_attributes, group_distances, profile_table, selection_frequency
from sociolect.embedding.statistics import (
    AuthorStyles,
    author_styles,
    geometric_median,
    group_embeddings,
    group_statistic,
    map_groups,
)
from sociolect.settings.embedding import ProfileSettings
from sociolect.steering.weights import (
    calibrate_temperature,
    effective_number,
    selection_mask,
    softmax_weights,
    transform_profile,
)

STYLE = np.array([[0.1], [0.2], [0.9], [0.9], [0.9], [0.4], [0.8]])
OWNER = ["p", "p", "q", "q", "q", None, None]
IDS = ["a0", "a1", "a2", "a3"]


def profile(statistic: str) -> float:
    return float(group_statistic(author_styles(STYLE, ["g"] * 7, OWNER, statistic, theta=0.4), statistic)[0, 0])


def test_authors_first_then_over_authors() -> None:
    # authors: p .15, q .9, and two unknown ones .4 and .8; an even number takes the middle of .4 and .8
    assert profile("median") == pytest.approx(0.6)
    assert profile("mean") == pytest.approx((0.15 + 0.9 + 0.4 + 0.8) / 4)
    assert profile("usage") == pytest.approx(3 / 4)  # 0, 1, 1 (>= theta), 1


def test_a_prolific_author_is_not_the_group() -> None:
    style = np.array([[0.9]] * 50 + [[0.1], [0.2]])
    authors = ["loud"] * 50 + ["b", "c"]
    assert group_statistic(author_styles(style, ["g"] * 52, authors, "median"), "median")[0, 0] == pytest.approx(0.2)


def test_an_author_of_two_groups_is_in_both_and_nan_is_an_error() -> None:
    found = author_styles(np.array([[0.0], [1.0]]), ["h", "g"], ["p", "p"], "mean")
    assert found.groups == ("g", "h") and found.counts().tolist() == [1, 1]
    assert found.values.ravel().tolist() == [1.0, 0.0]
    with pytest.raises(InputError, match="row 1 is not finite"):
        author_styles(np.array([[0.0], [np.nan]]), ["g", "g"], [None, None], "mean")


def test_geometric_median() -> None:
    assert np.allclose(geometric_median(np.array([[0.0], [1.0], [10.0]])), 1.0)
    # of a triangle with an angle above 120 degrees it is that corner: Weiszfeld's singular case
    obtuse = np.array([[0.0, 0.0], [10.0, 1.0], [-10.0, 1.0]])
    assert np.allclose(geometric_median(obtuse), [0, 0], atol=1e-4)
    square = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2]])
    assert np.allclose(geometric_median(square), [1, 1])
    assert np.allclose(geometric_median(np.ones((5, 3))), 1)
    cloud = np.vstack([np.random.default_rng(0).normal(size=(99, 2)), [[1e6, 1e6]]])
    assert np.abs(geometric_median(cloud)).max() < 0.5


def test_group_embedding_variants() -> None:
    net = EmbeddingNet(2, 4, 2)
    net.reset(torch.Generator().manual_seed(0))
    style = np.array([[0.0, 1.0], [1.0, 1.0], [0.5, 0.0]])
    groups, authors = ["g", "g", "h"], ["p", "p", None]
    assert np.allclose(group_embeddings(net, style, groups, authors)[0], embed(net, np.array([[0.5, 1.0]]))[0])
    means = embed(net, style)
    for center in ("mean_embedding", "geometric_median"):
        found = group_embeddings(net, style, groups, authors, center=center)
        assert np.allclose(found, [means[:2].mean(axis=0), means[2]])


def test_distinctive_order_ties_and_shortage() -> None:
    q = np.array(
        [
            [0.9, 0.6, 0.5, 0.7],
            [0.5, 0.6, 0.1, 0.3],
            [0.1, 0.1, 0.0, 0.2],
        ]
    )
    found = distinctive_attributes(q, IDS, k=8, min_gap=0.0)
    # gaps .4 thrice: larger q first, and a1, tied at the top, is nobody's
    assert [a for a, _ in found[0]] == [0, 3, 2]
    assert [gap for _, gap in found[0]] == pytest.approx([0.4, 0.4, 0.4])
    assert found[1] == [] and found[2] == []
    assert [a for a, _ in distinctive_attributes(q, IDS, k=2, min_gap=0.0)[0]] == [0, 3]
    assert distinctive_attributes(q, IDS, k=2, min_gap=0.4)[0] == []  # a gap must exceed tau; .9 - .5 does not
    same = np.array([[0.8, 0.8], [0.2, 0.2]])
    assert [a for a, _ in distinctive_attributes(same, ["z", "b"], 2, 0.0)[0]] == [1, 0]


def test_bootstrap_is_sure_of_what_all_authors_do_and_unsure_of_few() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, size=(80, 3)).astype(float)
    values[:40, 0], values[40:, 0] = 1.0, 0.0
    styles = AuthorStyles(values, np.repeat([0, 1], 40), ("g", "h"))
    for statistic in ("usage", "median"):
        found = selection_frequency(styles, statistic, IDS[:3], 3, 0.05, 100, seed=1)
        assert found[0, 0] == 1.0 and found[1, 0] == 0.0
        assert (found[:, 1:].sum(axis=0) <= 1.0).all()
    assert 0 < found[:, 1:].max() < 1
    again = selection_frequency(styles, "median", IDS[:3], 3, 0.05, 100, seed=1)
    assert np.array_equal(found, again)


def test_distances_and_the_alike_flag() -> None:
    points = np.array([[0.0, 1], [0, -1], [10, 2], [10, -2], [0, 3], [0, -3]])
    truth = ["g", "g", "h", "h", "i", "i"]
    centers = np.array([[0.0, 0], [10, 0], [0, 0]])
    table = group_distances(points, truth, centers, ["g", "h", "i"], "euclidean", 0.65)
    check_table(table, GROUP_DISTANCES, "distances")
    near, twins = table.row(0, named=True), table.row(1, named=True)
    assert (near["distance"], near["spread"], near["pair_accuracy"], near["alike"]) == (10, 1.5, 1.0, False)
    assert (twins["other"], twins["distance"], twins["pair_accuracy"], twins["alike"]) == ("i", 0, 0.5, True)
    with pytest.raises(InputError, match="'i' has no val answers"):
        group_distances(points[:4], truth[:4], centers, ["g", "h", "i"], "euclidean", 0.65)


def test_profile_table_fits_its_schema_whatever_the_order_of_rows() -> None:
    rng = np.random.default_rng(1)
    style = np.clip(rng.uniform(0, 1, (60, 4)) + np.repeat(np.eye(3, 4), 20, axis=0), 0, 1)
    frame = pl.DataFrame(
        {
            "answer_id": [f"x{i:02d}" for i in range(60)],
            "group": np.repeat(["g", "h", "i"], 20),
            "author": [None if i % 3 else f"u{i % 9}" for i in range(60)],
        }
    ).with_columns(vectors(style, "style"))
    net = EmbeddingNet(4, 4, 2)
    net.reset(torch.Generator().manual_seed(0))
    settings = ProfileSettings(bootstrap=20)
    table = profile_table(frame, IDS, net, 0.7, settings, run_seed=1)
    check_table(table, GROUPS, "groups")
    assert table.equals(profile_table(frame.reverse(), IDS, net, 0.7, settings, run_seed=1))
    assert [row[0] for row in table["distinctive"]] == IDS[:3]
    assert np.allclose(matrix(table["embedding"]), embed(net, matrix(table["style"])), atol=1e-5)
    with pytest.raises(InputError, match="4 scores, the catalogue 3"):
        profile_table(frame, IDS[:3], net, 0.7, settings, run_seed=1)


def test_parents() -> None:
    assert map_groups(["a", "b", "c"], {"a": "x", "c": "x"}) == ["x", "b", "x"]


def test_softmax_at_temperature_one_is_nearly_uniform() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=768)
    # E[e^x]^2 / E[e^2x] of uniform scores is (e - 1)^2 / ((e^2 - 1) / 2) = .924
    assert effective_number(softmax_weights(x, 1.0)) == pytest.approx(0.924 * 768, rel=0.01)
    other = x + rng.uniform(-0.05, 0.05, size=768)  # a second group, whose profile differs a little
    a, b = softmax_weights(x, 1.0), softmax_weights(other, 1.0)
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.999


@pytest.mark.parametrize("target", [1.5, 8.0, 100.0])
def test_calibration_reaches_the_target_and_scales_with_the_scores(target: float) -> None:
    x = np.random.default_rng(0).uniform(size=300)
    t = calibrate_temperature(x, target)
    assert effective_number(softmax_weights(x, t)) == pytest.approx(target, abs=1e-6)
    assert calibrate_temperature(5 * x + 2, target) == pytest.approx(5 * t)


def test_weights_of_a_selected_set() -> None:
    x, mask = np.array([3.0, 1.0, 2.0, 9.0]), selection_mask(IDS, ["a2", "a0"])
    assert mask.tolist() == [True, False, True, False]
    w = softmax_weights(x, calibrate_temperature(x, 8.0, mask), mask)
    assert np.allclose(w, [0.5, 0, 0.5, 0])  # fewer members than the target: uniform
    assert effective_number(softmax_weights(np.ones(5), calibrate_temperature(np.ones(5), 2.0))) == pytest.approx(5)
    with pytest.raises(InputError, match="no attribute is selected"):
        softmax_weights(x, 1.0, np.zeros(4, dtype=bool))
    with pytest.raises(InputError, match="'a9' is not in the catalogue"):
        selection_mask(IDS, ["a9"])


def test_transforms() -> None:
    x = np.array([[0.1, 0.5], [0.3, 0.5]])
    assert transform_profile(x, "raw").tolist() == x.tolist()
    assert np.allclose(transform_profile(x, "centred"), [[-0.1, 0], [0.1, 0]])
    assert np.allclose(transform_profile(x, "z"), [[-1, 0], [1, 0]])
    with pytest.raises(InputError, match="raw, centred or z"):
        transform_profile(x, "log")
