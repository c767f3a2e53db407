"""The test that every vLLM engine passes before it answers: its steered logits are those of transformers.

Hooks can fail to fire, or fire at a wrong block, with a wrong strength or with what an earlier call left behind, and
the text still reads well. So logits are compared: random vectors at each block alone and at all blocks at once, at all
positions, from the last prompt token on, and on generated tokens only; then other vectors in the same slots; and
requests without steering before, between and after them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from sociolect.common.errors import InputError
from sociolect.lm.hooks import add_to_blocks, width_of
from sociolect.lm.output_layer import decoder_of, logits_of
from sociolect.lm.reading import residual_norms
from sociolect.lm.requests import Request, SteerRef, write_vectors
from sociolect.lm.steering_slots import first_steered
from sociolect.lm.transformers_backend import TransformersBackend

__all__ = ["Case", "Reference", "check_steering", "reference_of"]

# relative error of the change of the logits that is taken for rounding
TOLERANCE = {"float32": 0.02, "bfloat16": 0.35}
# strength in residual norms: large against rounding, small enough that it does not drown the block's own output
STRENGTH = 0.5
PROMPT, TOKENS = 8, 64
Logits = Callable[[Sequence["Case"], Sequence[int]], Sequence[Sequence[float]]]


@dataclass(frozen=True)
class Probe:
    """One way to steer the prompt; with `forced`, the logits are those after a given token that follows it."""

    name: str
    key: str | None
    layers: tuple[int, ...] = ()
    strength: float = 0.0
    positions: str = "all"
    forced: bool = False

    def steer(self, file: Path) -> SteerRef | None:
        """The steering, with its vectors in this file."""
        return None if self.key is None else SteerRef(str(file), self.key, self.layers, self.strength, self.positions)


@dataclass(frozen=True)
class Case:
    """What an engine is asked: the logits after the request's prompt, or after this token that follows it."""

    request: Request
    forced: int | None


@dataclass(frozen=True)
class Reference:
    """What transformers computes.

    Attributes:
        probes: the cases, by round; later rounds put other vectors into the same slots.
        expected: logits [probes of all rounds, tokens].
        vectors: key -> [layers, d].
        prompt: token ids.
        forced: the token that follows it where a probe says so.
        tokens: whose logits are compared.
        tolerance: relative error that is taken for rounding.
    """

    probes: list[list[Probe]]
    expected: np.ndarray
    vectors: dict[str, torch.Tensor]
    prompt: tuple[int, ...]
    forced: int
    tokens: tuple[int, ...]
    tolerance: float


def reference_of(reader: TransformersBackend) -> Reference:
    """Compute the logits of all probes with transformers.

    Args:
        reader: holds the model.
    """
    n, width = reader.n_layers, width_of(reader.model)
    vocabulary = int(reader.model.get_input_embeddings().weight.shape[0])
    draw = np.random.default_rng(0)
    ids = [int(t) for t in draw.choice(vocabulary, size=PROMPT + 1, replace=vocabulary <= PROMPT)]
    prompt, forced = tuple(ids[:-1]), ids[-1]
    norms = residual_norms(reader.model, [prompt[:1]], [prompt[1:]], 2048)
    vectors = {}
    for key in "ab":
        rows = draw.standard_normal((n, width))
        rows *= np.asarray(norms)[:, None] / np.linalg.norm(rows, axis=1, keepdims=True)
        vectors[key] = torch.from_numpy(rows).float()
    rounds = _rounds(n)
    probes = [probe for round_ in rounds for probe in round_]
    logits = _logits(reader, probes, vectors, prompt, forced)
    likely = np.argsort(-logits[0])[: TOKENS // 2]
    others = draw.permutation(vocabulary)
    tokens = tuple(int(t) for t in list(dict.fromkeys([*likely, *others]))[:TOKENS])
    tolerance = TOLERANCE[reader.dtype]
    return Reference(rounds, logits[:, list(tokens)], vectors, prompt, forced, tokens, tolerance)


def check_steering(reference: Reference, logits_of: Logits) -> float:
    """Compare an engine with the reference.

    Args:
        reference: what transformers computes.
        logits_of: (cases, tokens) -> logits of the tokens, for each case, computed as the engine's answers are.

    Returns:
        the largest relative error.

    Raises:
        InputError: naming the first probe whose logits are not the reference's, and what it looks like.
    """
    found: list[Sequence[float]] = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / "vectors.safetensors"
        write_vectors(reference.vectors, file)
        for number, round_ in enumerate(reference.probes):
            cases = [_case(f"steering-test-{number}-{i}", probe, reference, file) for i, probe in enumerate(round_)]
            found += logits_of(cases, reference.tokens)
    probes = [probe for round_ in reference.probes for probe in round_]
    return _judge(probes, np.asarray(found, dtype=np.float64), reference)


def _rounds(n: int) -> list[list[Probe]]:
    every, middle = tuple(range(n)), (n // 2,)
    # of many blocks each gets its part, so that the sum of random vectors is as long as one
    plain, spread = Probe("no steering", None), STRENGTH * n**0.5
    first = [
        plain,
        *(Probe(f"block {layer} alone", "a", (layer,), STRENGTH) for layer in every),
        Probe("all blocks", "a", every, spread),
        Probe("from the last prompt token on", "a", middle, STRENGTH, "last"),
        Probe("generated tokens, none yet", "a", middle, STRENGTH, "generated"),
        Probe("no steering, second token", None, forced=True),
        Probe("generated tokens, second token", "a", middle, STRENGTH, "generated", True),
        Probe("from the last prompt token on, second token", "a", middle, STRENGTH, "last", True),
    ]
    second = [
        Probe("other vectors in the same slots, one block", "b", middle, STRENGTH),
        Probe("other vectors in the same slots, all blocks", "b", every, spread),
        Probe("no steering, after others", None),
    ]
    return [first, second]


def _case(name: str, probe: Probe, reference: Reference, file: Path) -> Case:
    forced = reference.forced if probe.forced else None
    request = Request(name, reference.prompt, 2 if probe.forced else 1, 0.0, 1.0, 0, probe.steer(file))
    return Case(request, forced)


@torch.inference_mode()
def _logits(
    reader: TransformersBackend,
    probes: Sequence[Probe],
    vectors: dict[str, torch.Tensor],
    prompt: Sequence[int],
    forced: int,
) -> np.ndarray:
    """Logits after the last token, float64 [probes, vocabulary]."""
    found: dict[int, np.ndarray] = {}
    for after in (False, True):
        rows = [i for i, probe in enumerate(probes) if probe.forced == after]
        ids = [*prompt, forced] if after else list(prompt)
        additions: dict[int, torch.Tensor] = {}
        for row, index in enumerate(rows):
            probe = probes[index]
            for layer in probe.layers if probe.key is not None else ():
                empty = torch.zeros(len(rows), len(ids), width_of(reader.model), device=reader.device)
                addition = vectors[str(probe.key)][layer] * (probe.strength / len(probe.layers))
                start = first_steered(probe.positions, len(prompt))
                additions.setdefault(layer, empty)[row, start:] = addition.to(reader.device)
        with add_to_blocks(reader.model, dict(additions)):
            tokens = torch.tensor([ids] * len(rows), device=reader.device)
            hidden = decoder_of(reader.model)(input_ids=tokens, use_cache=False).last_hidden_state
            logits = logits_of(reader.model, hidden[:, -1])
        for index, values in zip(rows, logits.double().cpu().numpy(), strict=True):
            found[index] = values
    return np.stack([found[i] for i in range(len(probes))])


def _judge(probes: Sequence[Probe], found: np.ndarray, reference: Reference) -> float:
    names = [probe.name for probe in probes]
    bases = {False: names.index("no steering"), True: names.index("no steering, second token")}
    expected = reference.expected
    changes = expected - expected[[bases[probe.forced] for probe in probes]]
    moved = np.linalg.norm(changes, axis=1)
    # an unsteered probe is measured by what steering does on the whole
    scale = np.where(moved > 0, moved, np.median(moved[moved > 0]))
    worst = 0.0
    for i, probe in enumerate(probes):
        error = float(np.linalg.norm(found[i] - expected[i]) / scale[i])
        if not error <= reference.tolerance:
            hint = ""
            if moved[i] > 0:
                share = float((found[i] - found[bases[probe.forced]]) @ changes[i] / moved[i] ** 2)
                hint = f", the logits moved by {share:.2f} of what they should"
            raise InputError(
                f"vLLM does not steer as transformers does: {probe.name}: error {error:.3g} of the change, allowed "
                f"{reference.tolerance}{hint}; set vllm.steering to another way, or backend: transformers"
            )
        worst = max(worst, error)
    return worst
