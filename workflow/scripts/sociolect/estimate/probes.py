"""All probes of a config, one after the other, and the table of their rates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import torch

from sociolect.common.schemas import RATES
from sociolect.estimate.lm_probes import probe_describer, probe_lm, probe_scratch_lm
from sociolect.estimate.probing import TAGGING, Timed
from sociolect.estimate.sfam_probes import probe_sfam
from sociolect.estimate.syntax_probes import probe_tagger
from sociolect.estimate.texts import draw_texts, most_attributes
from sociolect.models.loading import pick_device
from sociolect.settings.estimate import ProbeJob

__all__ = ["Folders", "all_probes", "rates_table"]

# what runs on the CPU wherever the others run
ON_CPU = ("imports", "scratch_lm", TAGGING)
NAMES = {"fp32": "float32", "bf16": "products in bfloat16"}


@dataclass(frozen=True)
class Folders:
    """Models of the hub, None where they are made from scratch; wording of chats and, if asked so, of documents; and
    the questions of the `llm` describer.
    """

    sfam: Path | None
    lm: Path | None
    prompts: Path
    document: Path | None
    describing: Path | None


def all_probes(
    settings: ProbeJob,
    samples: pl.DataFrame,
    folders: Folders,
    dtype: str,
    backend: str,
    prompt_style: str,
    prompt_date: str,
    threads: int,
) -> Iterator[tuple[str, str, Timed]]:
    """Name, unit and time of each; SFAM comes first, its memory is free again when the language model is loaded.

    Args:
        settings: of all stages.
        samples: answers of the run.
        folders: models and prompts.
        dtype: of the language model's weights.
        backend: flag of the backend that generates.
        prompt_style: chat, document or auto.
        prompt_date: what chat templates write for today.
        threads: CPU threads.
    """
    describer, most = settings.description.describer, settings.catalogue.max_attributes
    frame, k = draw_texts(samples), most_attributes(describer, most, settings.syntax.tagger)
    if settings.labeling.scorer != "measured":
        yield from probe_sfam(settings, folders.sfam, frame["answer"].to_list(), k)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    # whoever asks no model is taken to be as fast as stylometry
    if settings.description.describer != "llm":
        yield from probe_describer(settings, frame["answer"].to_list())
    # vLLM's environment has no spaCy: the estimate then says that it leaves tagging out
    if settings.syntax.tagger != "none" and json.loads(backend)["backend"] != "vllm":
        yield from probe_tagger(settings, frame["answer"].to_list())
    with TemporaryDirectory() as name:
        work = Path(name)
        if folders.lm is None:
            yield from probe_scratch_lm(settings, frame, folders.prompts, work / "lm")
        folder = folders.lm or work / "lm"
        texts = (folders.prompts, folders.document, folders.describing)
        yield from probe_lm(
            settings, folder, dtype, frame, k, *texts, work, backend, prompt_style, prompt_date, threads
        )


def rates_table(found: list[tuple[str, str, Timed]], settings: ProbeJob, dtype: str, threads: int) -> pl.DataFrame:
    """RATES of what was timed."""
    device = pick_device()
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    rows = [
        (name, unit, t.n, t.seconds, t.rate, "cpu" if name in ON_CPU else gpu, _dtype(name, settings, dtype), threads)
        for name, unit, t in found
    ]
    return RATES.frame(rows)


def _dtype(name: str, settings: ProbeJob, dtype: str) -> str:
    if name == "sfam_training":
        return NAMES[settings.sfam.precision]
    if name == "student_training":
        return NAMES[settings.distillation.precision]
    if name in ("teacher", "student"):
        return NAMES[settings.labeling.precision]
    return dtype if name in ("describing", "activations", "generation", "fluency", "loading") else "float32"
