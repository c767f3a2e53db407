"""Who judges the sweep's texts, and that equal texts are read once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sociolect.embedding.net import EmbeddingNet
from sociolect.judges.text_judges import Judge
from sociolect.lm.fluency import log_perplexities
from sociolect.lm.wordings import open_wording
from sociolect.steering.trials import TOPIC
from sociolect.steering.val_judges import judge_by, perplexity_by
from tiny_models import tiny_reader

torch.set_num_threads(1)
GROUPS = ["x", "y"]
TEXTS = ["dots", "beer dots", "", "dots", "beer", " "]


class Counting:
    """Style vector of a text: how often it says beer, and dots."""

    key = "counting"

    def __init__(self) -> None:
        self.read: list[str] = []

    def score(self, texts: Sequence[str], progress: Any = None, tagged: Any = None) -> Any:
        self.read += texts
        scores = np.array([[text.count(word) for word in ("beer", "dots")] for text in texts], dtype=float)
        return type("Scored", (), {"scores": scores})


class Pipeline:
    """Sees its word, of which group 0 says one and group 1 none."""

    def __init__(self, word: str) -> None:
        self.word = word

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        says = np.array([self.word in text for text in texts], dtype=float)
        return np.stack([0.2 + 0.6 * says, 0.8 - 0.6 * says], axis=1)


def identity() -> EmbeddingNet:
    """The embedding is the style vector."""
    net = EmbeddingNet(2, 0, 2)
    with torch.no_grad():
        net.output.weight.copy_(torch.eye(2))
        net.output.bias.zero_()
    return net.eval()


# a judge's columns are its own groups, in their order
CENTERS = np.array([[1.0, 0.0], [0.0, 1.0]])
TOPICS = Judge(TOPIC, "topic", ("p", "q"), Pipeline("beer"))


def test_sfam_sees_the_nearest_group_and_the_topic_probe_is_always_there() -> None:
    scorer = Counting()
    judge = judge_by(scorer, identity(), CENTERS, GROUPS, "euclidean", [TOPICS], ["sfam"])
    assert judge(TEXTS) == {
        # beer is x's word, dots are y's; a tie goes to the smaller name; nothing is seen in an empty text
        "sfam": ["y", "x", None, "y", "x", None],
        TOPIC: ["q", "p", None, "q", "p", None],
    }
    assert scorer.read == ["dots", "beer dots", "", "beer", " "], "equal texts are read once"
    # a later round asks again for what an earlier one has seen
    assert judge(["beer", "dots dots"]) == {"sfam": ["x", "y"], TOPIC: ["p", "q"]}
    assert scorer.read[5:] == ["dots dots"]


def test_only_the_wanted_judges_are_asked() -> None:
    scorer = Counting()
    style = Judge("ngrams", "style", ("x", "y"), Pipeline("xx"))
    unwanted = Judge("measured", "style", ("x", "y"), None)
    judge = judge_by(scorer, identity(), CENTERS, GROUPS, "euclidean", [unwanted, style, TOPICS], ["ngrams"])
    # the judge of n-grams reads a text without its content words
    assert judge(["the beer", "of the"]) == {"ngrams": ["x", "y"], TOPIC: ["p", "q"]}
    assert scorer.read == []


def test_perplexities_of_equal_pairs_are_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = tiny_reader(tmp_path, "dots beer ?")
    wording = open_wording(reader.tokenizer, None)
    prompts = [wording.render("question", text, "x", ()) for text in ("beer ?", "dots ?")]
    asked = [prompts[i] for i in (0, 1, 0, 0, 1)]
    texts = ["dots", "dots", "dots", "", "beer beer"]
    direct = log_perplexities(reader.model, wording, asked, texts, 500)
    measured: list[str] = []

    def count(model: Any, wording: Any, prompts: Sequence[str], texts: Sequence[str], budget: int) -> np.ndarray:
        measured.extend(texts)
        return log_perplexities(model, wording, prompts, texts, budget)

    monkeypatch.setattr("sociolect.steering.val_judges.log_perplexities", count)
    measure = perplexity_by(reader, wording, 500)
    found = measure(asked, texts)
    np.testing.assert_allclose(found, direct, atol=1e-5)
    assert found[0] == found[2] != found[1] and np.isnan(found[3])
    # the same text after another question is another pair
    assert measured == ["dots", "dots", "", "beer beer"]
    # a later round has measured them, too
    later = measure([*asked, prompts[0]], [*texts, "beer"])
    assert later[:5].tolist() == pytest.approx(found.tolist(), nan_ok=True, abs=0) and measured[4:] == ["beer"]
