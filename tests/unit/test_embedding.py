"""The embedding net: triplets against pytorch-metric-learning, planted clusters, invariances, files."""

import json
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.miners import TripletMarginMiner

from sociolect.common.artifacts import check_table, vectors
from sociolect.common.errors import InputError
from sociolect.common.schemas import ACCURACY, TRIALS
from sociolect.embedding.accuracy import accuracy_of_levels, measure_groups, near_of, parent_columns, triplet_accuracy
from sociolect.embedding.net import EmbeddingNet, distance_matrix, embed, load_net, nearest_group, save_net
from sociolect.embedding.triplets import Identities, balanced_batches, find_triplets, metric, split_roles
from sociolect.embedding.tuning import _Bags, best_trial, fit_data, train_net, trial_seed, tune
from sociolect.labels.fit import groups_of, join_labels, stack_splits
from sociolect.settings.embedding import EmbeddingSettings

GROUPS = ["art", "law", "med"]
CHEAP = EmbeddingSettings(n_trials=3, max_epochs=4, widths=(32,), dimensions=(4,), batch_sizes=(48,))


def planted(n: int, shift: float = 0.5, seed: int = 0) -> pl.DataFrame:
    """Three groups with raised scores on 4 attributes each, of 16; every answer of its own author and question."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) % 3
    style = rng.uniform(0, 0.5, (n, 16))
    for g in range(3):
        style[group == g, 4 * g : 4 * g + 4] += shift
    return pl.DataFrame(
        {
            "answer_id": [f"a{i:04d}" for i in range(n)],
            "question_id": [f"q{i:04d}" for i in range(n)],
            "author": [None if i % 2 else f"u{i:04d}" for i in range(n)],
            "group": [GROUPS[g] for g in group],
            "part": [("train", "train", "val", "test")[(i // 3) % 4] for i in range(n)],
            "split": ["single"] * n,
        }
    ).with_columns(vectors(style, "style"))


def who(n: int, n_groups: int = 3, seed: int = 0) -> Identities:
    rng = np.random.default_rng(seed)
    return Identities(*(torch.tensor(rng.integers(0, size, n)) for size in (n_groups, n // 2, n // 2)))


def test_euclidean_is_not_the_normalised_one_that_ranks_as_cosine() -> None:
    a = torch.tensor([[1.0, 0.0], [0.9, 0.1], [5.0, 0.0]])
    euclidean, cosine, trap = metric("euclidean")(a), metric("cosine")(a), LpDistance()(a)
    assert euclidean[0, 1] < euclidean[0, 2] and cosine[0, 1] < cosine[0, 2]  # similarity: larger is nearer
    assert trap[0, 1] > trap[0, 2]
    assert torch.allclose(trap**2, 2 - 2 * cosine, atol=1e-5)
    assert float(euclidean[0, 2]) == pytest.approx(4.0)
    ours = distance_matrix(a.numpy(), a.numpy(), "cosine")
    assert np.allclose(ours, 1 - cosine.numpy(), atol=1e-6)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("miner", ["all", "semihard", "hard"])
def test_triplets_are_the_librarys_less_those_that_share_author_or_question(distance, miner) -> None:
    generator = torch.Generator().manual_seed(1)
    out, people = torch.randn((24, 3), generator=generator), who(24)
    library = TripletMarginMiner(margin=0.3, distance=metric(distance), type_of_triplets=miner)(out, people.group)
    theirs = set(zip(*(t.tolist() for t in library), strict=True))
    ours = list(zip(*(t.tolist() for t in find_triplets(out, people, distance, 0.3, miner)), strict=True))
    allowed = {
        (a, p, n)
        for a, p, n in theirs
        if people.author[a] != people.author[p] and people.question[a] != people.question[p]
    }
    assert len(ours) == len(set(ours)) and set(ours) == allowed
    assert 0 < len(allowed) < len(theirs)


def test_drawn_positives_are_allowed_ones_and_at_most_as_many() -> None:
    people, out = who(30), torch.randn((30, 3), generator=torch.Generator().manual_seed(2))
    every = find_triplets(out, people, "euclidean", 1e9)
    some = find_triplets(out, people, "euclidean", 1e9, positives=2, generator=torch.Generator().manual_seed(3))
    pairs = set(zip(some[0].tolist(), some[1].tolist(), strict=True))
    assert pairs < set(zip(every[0].tolist(), every[1].tolist(), strict=True))
    assert max(np.bincount([a for a, _ in pairs])) == 2


def test_disjoint_roles_never_overlap_and_halve_the_anchors() -> None:
    group = np.repeat([0, 1, 2], [11, 20, 10])
    anchors = split_roles(group, seed=5)
    assert anchors.sum() == 41 // 2
    assert all(abs(2 * anchors[group == g].sum() - (group == g).sum()) <= 1 for g in range(3))
    people = Identities(torch.from_numpy(group), torch.arange(41), torch.arange(41))
    out = torch.randn((41, 3), generator=torch.Generator().manual_seed(0))
    a, p, n = find_triplets(out, people, "euclidean", 1e9, is_anchor=torch.from_numpy(anchors))
    assert set(a.tolist()) == set(np.flatnonzero(anchors).tolist())
    assert not set(a.tolist()) & (set(p.tolist()) | set(n.tolist()))


def test_prototypes_share_no_author_question_or_anchor_with_the_batch() -> None:
    frame = planted(600).with_columns(pl.Series("author", [f"u{i % 150}" for i in range(600)]))
    data = fit_data(frame)
    is_anchor = torch.from_numpy(split_roles(data.who.group.numpy(), 1))
    # each answer's style is its author's number, so that a median names an author that was drawn
    data.style[:] = data.who.author[:, None].float()
    batch = np.arange(30)
    style, people, roles = _Bags(data, 2, np.random.default_rng(0), is_anchor).with_prototypes(batch)
    assert len(style) == 30 + 6 and not roles[30:].any()
    assert not set(style[30:, 0].tolist()) & set(data.who.author[:30].tolist())
    assert set(find_triplets(style, people, "euclidean", 1e9, is_anchor=roles)[0].tolist()) <= set(range(30))


def test_batches_hold_equally_many_of_each_group() -> None:
    group = np.repeat([0, 1, 2], [100, 10, 40])
    batches = list(balanced_batches(group, 30, np.random.default_rng(0)))
    assert len(batches) == 5
    assert all(np.bincount(group[b]).tolist() == [10, 10, 10] for b in batches)
    seen = np.concatenate(batches)
    assert set(group[np.unique(seen)]) == {0, 1, 2} and {0, 1} <= set(np.bincount(seen)[:100])


def test_planted_groups_are_found_and_shuffled_ones_are_not() -> None:
    trials = tune(fit_data(planted(480)), CHEAP, run_seed=1)
    assert trials["value"].max() >= 0.95
    shuffled = planted(480).with_columns(pl.col("group").shuffle(seed=1))
    data = fit_data(shuffled)
    number, hyper, _ = best_trial(trials)
    net = train_net(data, hyper, CHEAP, trial_seed(1, number)).net
    test = shuffled.filter(pl.col("part") == "test")
    found = nearest_group(
        embed(net, test["style"].to_numpy()), embed(net, data.prototypes), data.groups, hyper.distance
    )
    assert abs(np.mean(np.array(found) == test["group"].to_numpy()) - 1 / 3) < 0.15  # 3.5 standard errors


@pytest.mark.parametrize("roles", ["mixed", "disjoint"])
def test_a_trial_comes_out_the_same_whatever_the_order_of_rows_and_the_global_generator(roles) -> None:
    settings = CHEAP.model_copy(update={"n_trials": 2, "roles": roles})
    frame = planted(240)
    torch.manual_seed(1)
    first = tune(fit_data(frame), settings, run_seed=7)
    torch.manual_seed(2)
    data = fit_data(frame.sample(fraction=1, shuffle=True, seed=3))
    second = tune(data, settings, run_seed=7)
    assert first.equals(second)
    check_table(first, TRIALS, "trials")
    number, hyper, value = best_trial(first)
    again = [train_net(data, hyper, settings, trial_seed(7, number)) for _ in range(2)]
    assert again[0].accuracy == again[1].accuracy == value
    assert torch.equal(again[0].net.output.weight, again[1].net.output.weight)


def test_the_file_keeps_net_standardisation_and_hyperparameters(tmp_path) -> None:
    net = EmbeddingNet(4, 8, 2, 0.3)
    net.reset(torch.Generator().manual_seed(0))
    style = np.random.default_rng(0).uniform(0, 1, (50, 4)) * [1, 1, 1, 0] + [0, 0, 0, 0.25]
    net.standardise(torch.tensor(style, dtype=torch.float32))
    assert float(net.std[3]) == 1.0 and float(net.mean[3]) == 0.25
    for name in ("a", "b"):
        save_net(net, tmp_path / name, {"distance": "cosine", "margin": 0.2})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    again, hyper = load_net(tmp_path / "a")
    assert (hyper["distance"], hyper["margin"], hyper["dropout"]) == ("cosine", 0.2, 0.3)
    assert np.array_equal(embed(again, style), embed(net, style))
    assert np.allclose(embed(net, style), net(torch.tensor(style).float()).detach().numpy(), atol=1e-5)
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:100])
    with pytest.raises(InputError, match="not a whole embedding net"):
        load_net(tmp_path / "a")
    with pytest.raises(InputError, match="different catalogues"):
        embed(net, style[:, :3])


def test_a_tie_goes_to_the_smallest_name() -> None:
    centers = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert nearest_group(np.array([[0.0, 1.0], [0.2, 0.0]]), centers, ["med", "art"], "euclidean") == ["art", "med"]


def test_accuracies_by_hand() -> None:
    near = np.array([[0, 1, 2], [1, 0, 2], [2, 0, 1], [0, 2, 1], [2, 1, 0.0]])
    rows = measure_groups(near, np.array([0, 0, 1, 2, 2]), GROUPS)
    value = {(r["measure"], r["group"], r["other"]): r["value"] for r in rows}
    assert value["nearest_group", None, None] == pytest.approx(3 / 5)
    assert value["macro", None, None] == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert value["pair", "art", "law"] == pytest.approx((0.5 + 1) / 2)
    assert value["pair", "art", "med"] == pytest.approx((1 + 0.5) / 2)
    assert value["pair", "law", "med"] == pytest.approx((1 + 1) / 2)
    assert value["pairwise", None, None] == pytest.approx((0.75 + 0.75 + 1) / 3)
    assert value["confusion", "med", "art"] == 0.5 and value["confusion", "art", "law"] == 0.5
    constant = measure_groups(np.zeros((5, 3)), np.array([0, 0, 1, 2, 2]), GROUPS)
    assert next(r["value"] for r in constant if r["measure"] == "pairwise") == 0.5


def test_triplet_accuracy_is_one_for_clusters_and_half_for_equal_embeddings() -> None:
    truth, own = np.repeat([0, 1], 40), np.arange(80)
    assert triplet_accuracy(truth[:, None] * 1.0, truth, own, own, "euclidean", 1)[0] == 1.0
    assert triplet_accuracy(np.ones((80, 2)), truth, own, own, "cosine", 1)[0] == 0.5
    assert triplet_accuracy(np.ones((80, 2)), truth, own * 0, own, "euclidean", 1) is None


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_a_rotation_changes_no_accuracy(distance) -> None:
    rng = np.random.default_rng(0)
    frame = planted(120)
    points, centers = rng.normal(size=(120, 3)), rng.normal(size=(3, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    tables = [
        accuracy_of_levels(
            frame.with_columns(vectors(points @ m, "embedding")), {}, {"leaf": centers @ m}, {}, distance, 1
        )
        for m in (np.eye(3), turn)
    ]
    assert np.allclose(tables[0]["value"], tables[1]["value"])


def test_parents_are_measured_by_sums_of_probabilities() -> None:
    assert parent_columns(np.array([[0.4, 0.35, 0.25]]), GROUPS, ["x", "y", "x"]).tolist() == [[0.65, 0.35]]
    frame = planted(120).with_columns(vectors(np.zeros((120, 2)), "embedding"))
    truth = np.array([GROUPS.index(g) for g in frame["group"]])
    centers = {"leaf": np.zeros((3, 2)), "parent": np.zeros((2, 2))}
    table = accuracy_of_levels(
        frame, {"majority": np.eye(3)[truth]}, centers, {"art": "x", "law": "x", "med": "y"}, "euclidean", 1
    )
    check_table(table, ACCURACY, "accuracy")
    assert set(table["level"]) == {"leaf", "parent"}
    parent = table.filter(pl.col("level") == "parent", pl.col("model") == "majority", pl.col("measure") == "macro")
    assert parent["value"].to_list() == [1.0] * 6 and set(parent["chance"]) == {0.5}
    assert near_of(np.array([[0.0, 1.0]])).argmin() == 1


def test_experiment_groups_and_answers_in_two_splits() -> None:
    single, multi = planted(12), planted(6).with_columns(pl.lit("multi").alias("split"))
    assert groups_of([single], multi.filter(pl.col("group") != "law")) == ["art", "med"]
    with pytest.raises(InputError, match="art 4, law 4, med 4; in ask: art 2"):
        groups_of([single], multi.filter(pl.col("group") == "art"))
    both = stack_splits([multi, single], ["art", "med"])
    assert both["split"].to_list() == ["multi"] * 4 + ["single"] * 4
    assert all(a < b for part in (both[:4], both[4:]) for a, b in pairwise(part["answer_id"]))
    with pytest.raises(InputError, match="split single: 2 answers have no style vector, such as 'a0010'"):
        join_labels(single.drop("style", "split"), single[:10].select("answer_id", "style"), "single")


def test_trials_table_holds_readable_parameters() -> None:
    trials = tune(fit_data(planted(120)), CHEAP.model_copy(update={"n_trials": 1}), run_seed=2)
    assert json.loads(trials["params"][0])["width"] == 32
    with pytest.raises(InputError, match="0 trials are marked"):
        best_trial(trials.with_columns(pl.lit(False).alias("chosen")))
