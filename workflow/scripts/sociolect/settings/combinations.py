"""Keys that do not go together, of one section or of several: found before anything runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sociolect.settings.steering import OF_THE_STATE

if TYPE_CHECKING:
    from sociolect.settings.config import Config

__all__ = ["combination_faults"]


def combination_faults(config: Config) -> Iterator[tuple[str, str]]:
    """(key, what is wrong with it and what to write instead) of each."""
    yield from _splits(config)
    yield from _measures(config)
    yield from _vllm(config)
    yield from _server(config)
    yield from _sizes(config)
    yield from _draws(config)


def _splits(config: Config) -> Iterator[tuple[str, str]]:
    have = set(config.splits)
    for name, experiment in config.experiments.items():
        for split in sorted({*experiment.fit, experiment.ask} - have):
            yield f"experiments.{name}", f"it needs split {split!r}; add corpus.paths.{split}"


def _measures(config: Config) -> Iterator[tuple[str, str]]:
    wanted = {
        "labeling.scorer": (config.labeling.scorer, "measured", "cross_encoder or distilled"),
        "pairs.targets": (config.pairs.targets, "graded", "hard"),
    }
    for key, (value, needs, instead) in wanted.items():
        if value == needs and config.description.describer != "stylometry":
            yield (
                key,
                f"it is {value}, but what {config.description.describer} says cannot be measured; set "
                f"description.describer: stylometry, or {key}: {instead}",
            )


def _vllm(config: Config) -> Iterator[tuple[str, str]]:
    if config.labeling.scorer == "measured" and config.syntax.tagger != "none" and config.sweep.backend == "vllm":
        yield (
            "sweep.backend",
            f"labeling.scorer is measured and syntax.tagger is {config.syntax.tagger}, so that the sweep tags what it "
            "generates, which vLLM's environment cannot; set sweep.backend: transformers, or syntax.tagger: none",
        )
    on_vllm = [stage for stage in ("sweep", "generation") if getattr(config, stage).backend == "vllm"]
    for method in OF_THE_STATE:
        if method in config.steering.methods and on_vllm:
            yield (
                "steering.methods",
                f"{method} is a function of the hidden state, which vLLM cannot apply; take it out, or set "
                f"{on_vllm[0]}.backend: transformers",
            )


def _server(config: Config) -> Iterator[tuple[str, str]]:
    if config.backends["description"] == "server" and config.description.server is None:
        yield (
            "description.server",
            "description.backend is server; say which: {address: http://localhost:8000/v1, model: <name>}",
        )


def _sizes(config: Config) -> Iterator[tuple[str, str]]:
    """What is more than there is of it."""
    for section, low, high, what in (
        ("corpus", "min_chars", "max_chars", "answer"),
        ("catalogue", "min_share", "max_share", "attribute"),
    ):
        least, most = getattr(getattr(config, section), low), getattr(getattr(config, section), high)
        if least > most:
            yield f"{section}.{low}", f"{least:g} is above {section}.{high}, {most:g}: no {what} is left"
    for stage in ("labeling", "generation"):
        shards, buckets = getattr(config, stage).shards, getattr(config, stage).buckets
        if shards > buckets:
            yield (
                f"{stage}.shards",
                f"{shards} jobs cannot share {buckets} buckets; lower it, or raise {stage}.buckets",
            )
    attributes = config.catalogue.max_attributes
    if config.steering.n_eff > attributes:
        yield (
            "steering.n_eff",
            f"{config.steering.n_eff:g} of at most {attributes} attributes (catalogue.max_attributes)",
        )
    for name in ("sfam", "lm"):
        model = getattr(config.scratch, name)
        if getattr(config.models, name) == "scratch" and model.hidden % model.heads:
            yield (
                f"scratch.{name}.heads",
                f"{model.heads} heads do not divide a width of {model.hidden}; change heads or hidden",
            )
    longest = config.scratch.sfam.max_positions
    if config.models.sfam == "scratch" and config.labeling.scorer != "measured":
        for stage in ("sfam", "labeling"):
            tokens = getattr(config, stage).max_tokens
            if tokens > longest:
                yield (
                    f"{stage}.max_tokens",
                    f"{tokens} tokens are more than a scratch SFAM takes, {longest}; lower it, or raise "
                    "scratch.sfam.max_positions",
                )


def _draws(config: Config) -> Iterator[tuple[str, str]]:
    """Draws of which a part has too few answers whatever the tables hold: sampling would end the run."""
    sampling = config.sampling
    for split in config.splits:
        key = "per_group" if getattr(sampling.per_group, split) else "minimum"
        drawn = getattr(getattr(sampling, key), split)
        # askx is drawn by question
        unit, answers = ("questions", sampling.answers_per_question) if split == "askx" else ("answers", 1)
        fewest = math.ceil(sampling.min_part / answers)
        shares = sampling.parts.model_dump()
        least = min(sampling.parts.quotas(drawn).values()) if drawn >= len(shares) else 0
        if least < fewest:
            enough = max(len(shares), math.ceil(fewest / min(shares.values()) - 1e-9))
            yield (
                f"sampling.{key}.{split}",
                f"of {drawn} {unit} the smallest part gets {least}, and sampling.min_part is {sampling.min_part} "
                f"answers; write {enough} or more, or change sampling.parts or sampling.min_part",
            )
