"""Who takes part in the labeling benchmark, and the check that all of them compute the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from measuring import DTYPES
from sociolect.common.errors import InputError
from sociolect.labels.scorers import CrossEncoderScorer, StudentScorer
from sociolect.settings.labels import LabelingSettings
from sociolect.sfam.model import load_agreement
from sociolect.sfam.student import build_student
from workload import SEED

Run = Callable[[Sequence[str]], np.ndarray]

K = 768
PIPELINE, CROSS = "pipeline, batch 32", "CrossEncoder.predict, batch 32"
PIPELINE_MIXED, CROSS_BF16 = f"{PIPELINE}, attribute by attribute", f"{CROSS}, bf16 weights"
ENGINE, ENGINE_BF16 = "this engine, fp32", "this engine, bf16"
STUDENT, STUDENT_BF16 = "student, fp32", "student, bf16"
# Weights of random size in bf16 throughout are further off than autocast, which keeps sums and norms in fp32.
TOLERANCES = {"fp32": 1e-4, "bf16": 5e-3, "bf16 weights": 2e-2}


def is_student(name: str) -> bool:
    """Whether it scores whole answers, not pairs."""
    return name in (STUDENT, STUDENT_BF16)


@dataclass(frozen=True)
class Contender:
    """Who is measured.

    Attributes:
        precision: key of TOLERANCES.
        run: texts -> scores on all attributes, float32 [n, attributes]; None where it was left out.
        note: why it was.
        plain: the same by transformers' own forward, for one whose scores are not the pipeline's.
    """

    precision: str
    run: Run | None
    note: str = ""
    plain: Run | None = None

    @property
    def dtype(self) -> str:
        """What its matrix products are in."""
        return self.precision.split()[0]


def pipeline_scores(folder: Path, attributes: Sequence[str], device: torch.device) -> tuple[Run, Run]:
    """The text-classification pipeline as its manual shows it for pairs of texts.

    It keeps the order that it is given. The first takes the pairs answer by answer, so that a batch hardly needs
    padding; the second attribute by attribute, so that a batch mixes answers of all lengths.
    """
    from transformers import pipeline

    make_pipeline: Any = pipeline
    classify = make_pipeline(
        "text-classification", model=str(folder), tokenizer=str(folder), batch_size=32, device=device
    )

    def score(pairs: list[dict[str, str]]) -> np.ndarray:
        found = classify(pairs, top_k=None, truncation=True, padding=True)
        scores = [next(label["score"] for label in labels if label["label"] == "agree") for labels in found]
        return np.array(scores, dtype=np.float32)

    def by_answer(texts: Sequence[str]) -> np.ndarray:
        return score([{"text": a, "text_pair": t} for t in texts for a in attributes]).reshape(len(texts), -1)

    def by_attribute(texts: Sequence[str]) -> np.ndarray:
        return score([{"text": a, "text_pair": t} for a in attributes for t in texts]).reshape(-1, len(texts)).T

    return by_answer, by_attribute


def cross_encoder(folder: Path, max_tokens: int, device: torch.device, precision: str = "fp32") -> Any:
    """The model in sentence-transformers."""
    from sentence_transformers import CrossEncoder

    return CrossEncoder(
        str(folder),
        device=str(device),
        max_length=max_tokens,
        local_files_only=True,
        model_kwargs={"dtype": DTYPES[precision]},
    )


def cross_encoder_scores(model: Any, attributes: Sequence[str], batch_size: int) -> Run:
    """CrossEncoder.predict, which sorts by length itself."""

    def run(texts: Sequence[str]) -> np.ndarray:
        pairs = [(attribute, text) for text in texts for attribute in attributes]
        scores = model.predict(pairs, batch_size=batch_size, apply_softmax=True, show_progress_bar=False)
        return scores[:, 1].reshape(len(texts), -1)

    return run


def engine_scores(
    folder: Path,
    attributes: Sequence[str],
    max_tokens: int,
    tokens_per_batch: int,
    precision: str,
    device: torch.device,
) -> Run:
    """This project's cross-encoder."""
    agreement = load_agreement(folder, max_tokens)
    agreement.model.to(device)
    scorer = CrossEncoderScorer(agreement, attributes, labeling(max_tokens, tokens_per_batch, precision))
    return lambda texts: scorer.score(texts).scores


def labeling(max_tokens: int, tokens_per_batch: int, precision: str) -> LabelingSettings:
    """The product's settings."""
    return LabelingSettings.model_validate(
        {"max_tokens": max_tokens, "tokens_per_batch": tokens_per_batch, "precision": precision}
    )


def student_contender(
    folder: Path, max_tokens: int, tokens_per_batch: int, precision: str, device: torch.device
) -> Contender:
    """The student: the same encoder with K outputs, one pass per answer. Its head is random, too."""
    teacher = load_agreement(folder, max_tokens)
    teacher.model.to(device)
    student = build_student(teacher, [f"a{i}" for i in range(K)], max_tokens - 2, SEED)
    scorer = StudentScorer(student, labeling(max_tokens, tokens_per_batch, precision))

    @torch.inference_mode()
    def plain(texts: Sequence[str]) -> np.ndarray:
        inputs = student.tokenizer(
            list(texts), truncation=True, max_length=max_tokens, padding=True, return_tensors="pt"
        )
        return torch.sigmoid(student.model(**inputs.to(device)).logits.float()).cpu().numpy()

    return Contender(precision, lambda texts: scorer.score(texts).scores, plain=plain)


def check_agreement(reference: np.ndarray, scores: np.ndarray, name: str, precision: str) -> float:
    """Largest difference of two contenders' scores.

    Raises:
        InputError: it is larger than the precision explains: they do not compute the same, so their speeds must not
            be compared.
    """
    if reference.shape != scores.shape:
        raise InputError(f"{name}: scores {list(scores.shape)}, expected {list(reference.shape)}; not the same pairs")
    off = np.abs(reference.astype(np.float64) - scores)
    worst = float(off.max()) if np.isfinite(off).all() else float("inf")
    if worst > TOLERANCES[precision]:
        answer, attribute = (int(i) for i in np.unravel_index(int(np.argmax(off)), off.shape))
        raise InputError(
            f"{name}: its score of answer {answer}, attribute {attribute} is {worst:.2g} off transformers', "
            f"{TOLERANCES[precision]:g} is allowed in {precision}; it does not compute the same, nothing is reported"
        )
    return worst


def check_spread(reference: np.ndarray) -> None:
    """Refuse pairs whose scores are so alike that wrong ones would pass `check_agreement`.

    Raises:
        InputError: another answer, or another attribute, would hardly change a score.
    """
    spread = min(float(reference.std(axis=axis).max()) for axis in (0, 1) if reference.shape[axis] > 1)
    if spread < 2 * TOLERANCES["fp32"]:
        raise InputError(f"the model scores all pairs alike (spread {spread:.2g}): agreement would mean nothing")
