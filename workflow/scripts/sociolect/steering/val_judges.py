"""Who judges the sweep's texts: the style model and judges that have seen none of it, equal texts once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sociolect.embedding.net import Distance, EmbeddingNet, embed, nearest_group
from sociolect.judges.text_judges import Judge, judge_texts
from sociolect.labels.buckets import Scorer
from sociolect.lm.fluency import log_perplexities
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import Wording
from sociolect.steering.trials import TOPIC, Perplexity
from sociolect.steering.trials import Judge as Judging

__all__ = ["judge_by", "perplexity_by"]


def judge_by(
    scorer: Scorer,
    net: EmbeddingNet,
    centers: np.ndarray,
    groups: Sequence[str],
    distance: Distance,
    judges: Sequence[Judge],
    wanted: Sequence[str],
) -> Judging:
    """Texts -> judge -> group that it sees in each, None in an empty text: the wanted judges and the topic probe.

    Args:
        scorer: labels texts on the K attributes of the catalogue; with the net it is the judge `sfam`.
        net: embedding net for K attributes.
        centers: group embeddings [G, D].
        groups: their names.
        distance: that the net was trained for.
        judges: fitted judges.
        wanted: names of judges of style.
    """
    others = [judge for judge in judges if judge.name in wanted or judge.name == TOPIC]
    # judge -> text -> what it sees; a later round asks for the texts of the earlier ones again
    names_of = {judge.name: judge.groups for judge in others}
    asked = [*(["sfam"] if "sfam" in wanted else []), *names_of]
    known: dict[str, dict[str, str | None]] = {name: {} for name in asked}

    def learn(texts: Sequence[str]) -> None:
        if "sfam" in wanted:
            nearest = nearest_group(embed(net, scorer.score(texts).scores), centers, groups, distance)
            known["sfam"] |= {text: group if text.strip() else None for group, text in zip(nearest, texts, strict=True)}
        for name, values in judge_texts(others, texts).items():
            seen = [None if np.isnan(row).any() else names_of[name][int(row.argmax())] for row in values]
            known[name] |= dict(zip(texts, seen, strict=True))

    def judge(texts: Sequence[str]) -> dict[str, list[str | None]]:
        new = [text for text in dict.fromkeys(texts) if text not in known[asked[0]]]
        if new:
            learn(new)
        return {name: [found[text] for text in texts] for name, found in known.items()}

    return judge


def perplexity_by(reader: TransformersBackend, wording: Wording, batch_tokens: int) -> Perplexity:
    """Prompts and texts -> log perplexity of each under the unsteered model, equal pairs once, in later calls too."""
    known: dict[tuple[str, str], float] = {}

    def measure(prompts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        pairs = list(zip(prompts, texts, strict=True))
        new = [pair for pair in dict.fromkeys(pairs) if pair not in known]
        values = log_perplexities(reader.model, wording, [p for p, _ in new], [t for _, t in new], batch_tokens)
        known.update(zip(new, values.tolist(), strict=True))
        return np.array([known[pair] for pair in pairs])

    return measure
