"""Labeling on a GPU: whether the engine's scores are transformers', its speed, that of fused kernels, the student."""

from __future__ import annotations

import copy
import importlib.util
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from comparing import speed_conditions, speed_rows
from contenders import CROSS, CROSS_BF16, ENGINE, ENGINE_BF16, STUDENT, STUDENT_BF16, K, cross_encoder
from fused_attention import KERNELS, plain_engine, with_kernel
from gpu_part import Part, difference, skipped
from measuring import DTYPES, Row, alternate
from sociolect.common.errors import InputError
from sociolect.sfam.engine import PairBatch
from sociolect.sfam.forward import score_index_pairs
from sociolect.sfam.model import (
    AgreementModel,
    Encoded,
    agreement_logit,
    encode_attributes,
    encode_texts,
    pair_arrays,
    save_agreement,
)
from sociolect.sfam.precision import Precision
from sociolect.sfam.student import Student, answer_arrays, build_student, student_scores
from workload import SEED, SHAPES, Block, Shape, make_block, pair_flop, random_agreement

__all__ = ["check_labeling", "time_kernels", "time_labeling", "time_student"]

Forward = Callable[[PairBatch], torch.Tensor]
UNIT, DIFFERENCE = "pairs/s", "largest |difference| to float64 scores"
CROSS_LARGE = "CrossEncoder.predict, batch 128, bf16 weights"
# float32 sums some thousand products; a wrong position is a hundred times as far off
ALLOWED = 1e-3
# bfloat16 is measured by what it does to transformers' own forward of the same weights
OF_TRANSFORMERS = 1.5
# a check is worth something if a fault is this much farther off than what it allows
POWER = 2.0
# larger weights than trained ones begin with: attention then decides what comes out (`calibrate`)
SPREADS = {"base": 0.05, "large": 0.04, "tiny": 0.12}


@dataclass(frozen=True)
class Bench:
    """A model on the device and the texts that it scores, tokenized."""

    shape: Shape
    agreement: AgreementModel
    block: Block
    answers: Encoded
    attributes: Encoded

    @property
    def index(self) -> tuple[np.ndarray, np.ndarray]:
        """Answer and attribute of all pairs, answer by answer."""
        n, k = self.block.lengths.shape
        return np.repeat(np.arange(n), k), np.tile(np.arange(k), n)

    def batch(self) -> PairBatch:
        """All pairs as one batch."""
        arrays = pair_arrays(self.agreement, self.answers, self.attributes, *self.index)
        return PairBatch.of(*arrays, self.agreement.device.type)


def make_bench(part: Part, name: str, n_answers: int, n_attributes: int, n_alone: int = 1) -> Bench:
    """A model of this shape, random and calibrated, and texts of the real lengths."""
    shape = replace(SHAPES[name], initializer_range=SPREADS[name])
    max_tokens = 64 if part.tiny else 512
    tokenizer, block = make_block(n_answers, n_attributes, n_alone, max_tokens)
    agreement = random_agreement(shape, tokenizer, max_tokens, part.device)
    bench = Bench(
        shape, agreement, block, encode_texts(agreement, block.answers), encode_attributes(agreement, block.attributes)
    )
    few = replace(bench, block=replace(block, answers=block.answers[:8], lengths=block.lengths[:8, :2]))
    calibrate(agreement.model, few.batch())
    return bench


@torch.no_grad()
def calibrate(model: Any, batch: PairBatch) -> None:
    """Scale the head, so that the logits of these pairs have mean 0 and spread 1.

    Random weights score all pairs nearly alike, and a wrong score would pass for rounding.
    """
    logits = plain_logits(model, batch, torch.float32)
    found = agreement_logit(logits) if logits.shape[1] <= 2 else logits
    mean, spread = float(found.mean()), float(found.std())
    model.classifier.weight /= spread
    model.classifier.bias /= spread
    # of two outputs their difference counts
    model.classifier.bias[1 if logits.shape[1] == 2 else 0 :] -= mean / spread


@torch.inference_mode()
def plain_logits(model: Any, batch: PairBatch, dtype: torch.dtype, rows: int = 8) -> torch.Tensor:
    """Transformers' own forward of the same weights in this type, a few rows at a time."""
    device = next(model.parameters()).device
    inputs = batch.tensors(device)
    model = model if dtype == torch.float32 else copy.deepcopy(model).to(dtype)
    found = [
        model(
            input_ids=inputs["ids"][start : start + rows],
            token_type_ids=inputs["types"][start : start + rows],
            attention_mask=inputs["mask"][start : start + rows].long(),
        ).logits.double()
        for start in range(0, len(inputs["ids"]), rows)
    ]
    return torch.cat(found)


def scores_of(logits: torch.Tensor) -> torch.Tensor:
    """Scores of logits: of two outputs the one score, of K all."""
    return torch.sigmoid(agreement_logit(logits) if logits.shape[1] <= 2 else logits)


def check_labeling(part: Part, name: str) -> None:
    """Scores of the engine and of the student against transformers in float64, on the same weights."""
    bench = make_bench(part, name, *((3, 3, 3) if part.tiny else (6, 4, 6)))
    check_model(part, name, "this engine", bench.agreement.model, bench.batch())
    student, answers = make_student(bench)
    batch = PairBatch.of(*answer_arrays(student, answers, np.arange(len(answers))), part.device.type)
    calibrate(student.model, batch)
    check_model(part, name, "student", student.model, batch)


def check_model(part: Part, shape: str, name: str, model: Any, batch: PairBatch) -> None:
    """Rows of one model's differences, and of what a fault would change."""
    where: dict[str, Any] = {"shape": shape, "pairs": len(batch.ids), "longest": int(batch.lengths.max())}
    reference = scores_of(plain_logits(model, batch, torch.float64))
    plain = {dtype: difference(reference, scores_of(plain_logits(model, batch, DTYPES[dtype]))) for dtype in DTYPES}
    for dtype, found in plain.items():
        part.add(Row(f"transformers, {dtype}, for {name}: score difference", found, DIFFERENCE, conditions=where))
    allowed = {"fp32": ALLOWED, "bf16": OF_TRANSFORMERS * plain["bf16"]}
    wrong = difference(reference, faulty_scores(model, batch))
    fault = f"{name} with its distances turned around: score difference"
    part.check(fault, wrong, POWER * max(allowed.values()), DIFFERENCE, at_least=True, **where)
    for precision, most in allowed.items():
        found = difference(reference, scores_of(plain_engine(model, precision)(batch)))
        part.check(f"{name}, {precision}: score difference", found, most, DIFFERENCE, **where)


@torch.inference_mode()
def faulty_scores(model: Any, batch: PairBatch) -> torch.Tensor:
    """Scores with the signs of all distances turned around: what a wrong position bias would give."""
    wrong = copy.deepcopy(model)
    table = wrong.deberta.encoder.rel_embeddings.weight
    table.copy_(table.flip(0))
    return scores_of(plain_logits(wrong, batch, torch.float32))


def engine_call(part: Part, bench: Bench, precision: str, forward: Forward) -> Callable[[], np.ndarray]:
    """Scores of all pairs by the product's batches, [pairs]."""
    budget = 512 if part.tiny else 65536
    kind: Precision = "bf16" if precision == "bf16" else "fp32"
    return lambda: score_index_pairs(
        bench.agreement, bench.answers, bench.attributes, *bench.index, budget, kind, forward
    )


def cross_calls(part: Part, bench: Bench, folder: Path) -> dict[str, Callable[[], np.ndarray]]:
    """CrossEncoder.predict in its ways."""
    save_agreement(bench.agreement, folder)
    found: dict[str, Callable[[], np.ndarray]] = {}
    models = {
        precision: cross_encoder(folder, bench.agreement.max_tokens, part.device, precision) for precision in DTYPES
    }
    for name, precision, size in ((CROSS, "fp32", 32), (CROSS_BF16, "bf16", 32), (CROSS_LARGE, "bf16", 128)):
        found[name] = partial(_predict, models[precision], bench.block.pairs, size)
    return found


def _predict(model: Any, pairs: list[tuple[str, str]], size: int) -> np.ndarray:
    scores: np.ndarray = model.predict(pairs, batch_size=size, apply_softmax=True, show_progress_bar=False)
    return scores[:, 1]


def time_labeling(part: Part, name: str) -> None:
    """Pairs per second of the engine beside CrossEncoder.predict, at one shape."""
    answers, attributes = (4, 4) if part.tiny else (16, 64)
    bench = make_bench(part, name, answers, attributes)
    model, calls = bench.agreement.model, dict[str, Callable[[], np.ndarray]]()
    part.say(f"{bench.block.lengths.size} pairs of {bench.block.lengths.mean():.0f} tokens")
    with tempfile.TemporaryDirectory() as folder:
        if importlib.util.find_spec("sentence_transformers") is None:
            part.add(skipped(f"{CROSS}: speed", UNIT, "sentence-transformers is not installed", shape=name))
        else:
            calls |= cross_calls(part, bench, Path(folder))
        for contender, precision in ((ENGINE, "fp32"), (ENGINE_BF16, "bf16")):
            calls[contender] = engine_call(part, bench, precision, plain_engine(model, precision))
        measure(part, bench, name, calls, [CROSS, CROSS_BF16, CROSS_LARGE])


def time_kernels(part: Part, name: str) -> None:
    """The engine with fused kernels beside itself; one whose scores do not agree is not timed."""
    bench = make_bench(part, name, *((3, 3) if part.tiny else (6, 4)))
    model, batch = bench.agreement.model, bench.batch()
    reference = scores_of(plain_logits(model, batch, torch.float64))
    allowed = OF_TRANSFORMERS * difference(reference, scores_of(plain_logits(model, batch, torch.bfloat16)))
    agreeing = {ENGINE_BF16: plain_engine(model, "bf16")}
    for package in KERNELS:
        contender = f"{ENGINE_BF16}, {package}"
        try:
            if part.device.type != "cuda":
                raise InputError("skipped: its kernels need a GPU")
            engine = with_kernel(model, package)
            found = difference(reference, scores_of(engine(batch)))
        except Exception as error:  # whatever a kernel raises that does not fit this GPU
            reason = error if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            part.say(f"{contender}: {reason}")
            part.add(skipped(f"{contender}: speed", UNIT, reason, shape=name))
            continue
        # no fault of the project: a kernel whose scores are off is not used
        met = found <= allowed
        where = {"shape": name, "allowed": allowed, "met": met}
        part.add(Row(f"{contender}: score difference", found, DIFFERENCE, conditions=where))
        part.say(f"{contender}: score difference {found:.3g}, at most {allowed:.3g}: {'ok' if met else 'not used'}")
        if met:
            agreeing[contender] = engine
        else:
            part.add(skipped(f"{contender}: speed", UNIT, f"scores are off by {found:.2g}", shape=name))
    answers, attributes = (4, 4) if part.tiny else (16, 64)
    tokenizer, block = make_block(answers, attributes, 1, bench.agreement.max_tokens)
    agreement = AgreementModel(model, tokenizer, bench.agreement.max_tokens)
    bench = Bench(
        bench.shape,
        agreement,
        block,
        encode_texts(agreement, block.answers),
        encode_attributes(agreement, block.attributes),
    )
    calls = {contender: engine_call(part, bench, "bf16", engine) for contender, engine in agreeing.items()}
    measure(part, bench, name, calls, [ENGINE_BF16])


def measure(
    part: Part, bench: Bench, name: str, calls: Mapping[str, Callable[[], np.ndarray]], baselines: list[str]
) -> None:
    """Rows of speeds, of shares of the peak, and of how far scores are apart."""
    lengths = bench.block.lengths
    where = {
        "shape": f"deberta-v3-{name}, random weights",
        "pairs": f"{len(lengths)} answers x {lengths.shape[1]} attributes",
        "tokens_per_pair": round(float(lengths.mean()), 1),
    }
    first: np.ndarray | None = None
    for contender, call in calls.items():
        scores = np.asarray(call(), dtype=np.float64)  # warms it up, too
        first = scores if first is None else first
        part.say(f"warm: {contender}, scores up to {np.abs(scores - first).max():.2g} from the first's")
    peaks = {precision: part.peak(precision, 0.3) for precision in DTYPES}
    units = {contender: (lengths.size, call) for contender, call in calls.items()}
    turns = alternate(units, 2 if part.tiny else 3, 0.0 if part.tiny else 1.5, part.device, part.say)
    cost = float(np.mean([pair_flop(bench.shape, int(n)) for n in lengths.ravel()]))
    for contender, mine in turns.items():
        precision = "fp32" if contender in (CROSS, ENGINE) else "bf16"
        here = {**where, **speed_conditions(mine), "precision": precision}
        part.add(
            *speed_rows(contender, turns, baselines, UNIT, here),
            Row(
                f"{contender}: matmul share",
                mine.median * cost / peaks[precision],
                f"share of the {precision} matmul peak",
                conditions={**here, "peak_tflops": round(peaks[precision] / 1e12, 2)},
            ),
        )


def make_student(bench: Bench) -> tuple[Student, Encoded]:
    """A student of the model with random outputs for K attributes, and the answers that it reads."""
    outputs = [f"a{i}" for i in range(K)]
    student = build_student(bench.agreement, outputs, bench.agreement.max_tokens - 2, SEED)
    texts = AgreementModel(student.model, student.tokenizer, student.max_tokens)
    return student, encode_texts(texts, bench.block.alone)


def time_student(part: Part, name: str) -> None:
    """Answers per second of the student, each with K scores."""
    bench = make_bench(part, name, 2, 2, 8 if part.tiny else 2048)
    student, answers = make_student(bench)
    budget, n = 512 if part.tiny else 65536, len(answers)
    calls: dict[str, tuple[int, Callable[[], Any]]] = {}
    for contender, precision in ((STUDENT, "fp32"), (STUDENT_BF16, "bf16")):
        engine = plain_engine(student.model, precision)
        kind: Precision = "bf16" if precision == "bf16" else "fp32"
        call = partial(student_scores, student, answers, budget, kind, engine)
        call()
        calls[contender] = n, call
    peaks = {precision: part.peak(precision, 0.3) for precision in DTYPES}
    turns = alternate(calls, 2 if part.tiny else 3, 0.0 if part.tiny else 1.5, part.device, part.say)
    cost = float(np.mean([pair_flop(bench.shape, int(n)) for n in bench.block.alone_lengths]))
    where = {"shape": f"deberta-v3-{name}, random weights", "answers": n, "outputs": K}
    for (contender, mine), precision in zip(turns.items(), DTYPES, strict=True):
        here = {**where, **speed_conditions(mine), "precision": precision}
        share = mine.median * cost / peaks[precision]
        part.add(
            *speed_rows(contender, turns, [STUDENT], "answers/s", here),
            Row(f"{contender}: scores", mine.median * K, "(answer, attribute)/s", conditions=here),
            Row(f"{contender}: matmul share", share, f"share of the {precision} matmul peak", conditions=here),
        )
