"""Choice of method, layers and strength on val: the most changes to the target that leave the text fluent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.errors import InputError
from sociolect.common.schemas import SWEEP
from sociolect.settings.steering import SweepSettings

__all__ = ["Outcome", "Setting", "choice_of", "choose", "layer_sets", "measure", "search", "sweep_table"]


@dataclass(frozen=True, order=True)
class Setting:
    """One way of steering."""

    method: str
    layers: tuple[int, ...]
    alpha: float


@dataclass(frozen=True)
class Outcome:
    """What a setting does to the val questions.

    Attributes:
        n: generations.
        hit_rate: share whose nearest group is the target.
        correct_change_rate: share that came to the target from elsewhere.
        log_perplexity: mean over the non-empty; None if all are empty.
        repetition: mean share of repeated 3-grams.
        empty: share without text.
    """

    n: int
    hit_rate: float
    correct_change_rate: float
    log_perplexity: float | None
    repetition: float
    empty: float


UNSTEERED = Setting("unsteered", (), 0.0)
_MORE_EMPTY = 0.1  # more empty answers than this above the unsteered share are not fluent
Evaluate = Callable[[Sequence[Setting]], Sequence[Outcome]]


def layer_sets(settings: SweepSettings, n_layers: int) -> list[tuple[int, ...]]:
    """Single layers at the relative depths (block floor(depth * n_layers)), then the band; no set twice."""

    def block(depth: float) -> int:
        return min(n_layers - 1, int(depth * n_layers))

    sets: list[tuple[int, ...]] = [(block(depth),) for depth in settings.depths]
    if settings.band is not None:
        low, high = settings.band
        sets.append(tuple(range(block(low), block(high) + 1)))
    if not sets:
        raise InputError("sweep.depths and sweep.band are both empty; name at least one")
    return list(dict.fromkeys(sets))


def search(
    evaluate: Evaluate, methods: Sequence[str], sets: Sequence[tuple[int, ...]], settings: SweepSettings, base: Outcome
) -> dict[Setting, Outcome]:
    """Evaluate the grid, or where `sweep.refine` is set, its promising part.

    The first stage tries all methods and layers at every second strength, the largest first; the second the
    remaining strengths of the `refine` best pairs of method and layers (by their best fluent outcome, then by
    their best outcome).
    """
    alphas = sorted((a for a in settings.alphas if a > 0), reverse=True)
    if not alphas:
        raise InputError("sweep.alphas has no strength above 0; add one, such as 0.2")
    pairs = [(method, layers) for method in methods for layers in sets]
    first = alphas if settings.refine is None else alphas[::2]
    found = _evaluated(evaluate, [Setting(*pair, alpha) for pair in pairs for alpha in first])
    rest = [alpha for alpha in alphas if alpha not in first]
    if rest:

        def merit(pair: tuple[str, tuple[int, ...]]) -> tuple[float, float]:
            outcomes = [found[Setting(*pair, alpha)] for alpha in first]
            fluent = [o.correct_change_rate for o in outcomes if is_fluent(o, base, settings)]
            return max(fluent, default=-1.0), max(o.correct_change_rate for o in outcomes)

        ranked = sorted(pairs, key=lambda pair: tuple(-m for m in merit(pair)))  # stable: grid order breaks ties
        best = ranked[: settings.refine]
        found |= _evaluated(evaluate, [Setting(*pair, alpha) for pair in best for alpha in rest])
    return found


def is_fluent(outcome: Outcome, base: Outcome, settings: SweepSettings) -> bool:
    """Inside the two-sided guard: log perplexity near the unsteered one (loops have too low a value), and no
    more repetition or empty answers than allowed (or than the unsteered model has)."""
    if outcome.log_perplexity is None or base.log_perplexity is None:
        return False
    return (
        abs(outcome.log_perplexity - base.log_perplexity) <= settings.max_log_perplexity_change
        and outcome.repetition <= max(settings.max_repetition, base.repetition)
        and outcome.empty <= base.empty + _MORE_EMPTY
    )


def choose(found: dict[Setting, Outcome], base: Outcome, settings: SweepSettings) -> Setting:
    """The fluent setting with the largest share of correct changes.

    Ties go to the smaller strength, then to fewer layers, then to the order of evaluation. If nothing is fluent,
    the smallest strength, at which log perplexity changes least: steering is never switched off in silence.
    """
    order = {setting: i for i, setting in enumerate(found)}
    fluent = [s for s in found if is_fluent(found[s], base, settings)]
    if fluent:
        return min(fluent, key=lambda s: (-found[s].correct_change_rate, s.alpha, len(s.layers), order[s]))

    def change(setting: Setting) -> float:
        value = found[setting].log_perplexity
        return float("inf") if value is None or base.log_perplexity is None else abs(value - base.log_perplexity)

    return min(found, key=lambda s: (s.alpha, change(s), order[s]))


def measure(
    texts: Sequence[str],
    targets: Sequence[str],
    nearest: Sequence[str],
    reference: Sequence[str],
    log_perplexity: np.ndarray,
    repetition: Sequence[float],
) -> Outcome:
    """The outcome of one setting.

    Args:
        texts: generations.
        targets: target group of each.
        nearest: nearest group of each.
        reference: nearest group of the unsteered generation with the same question and seed.
        log_perplexity: of each; NaN where the text is empty.
        repetition: of each.
    """
    hits = [n == t for n, t in zip(nearest, targets, strict=True)]
    came = [hit and r != t for hit, r, t in zip(hits, reference, targets, strict=True)]
    known = log_perplexity[np.isfinite(log_perplexity)]
    return Outcome(
        n=len(texts),
        hit_rate=float(np.mean(hits)),
        correct_change_rate=float(np.mean(came)),
        log_perplexity=float(known.mean()) if len(known) else None,
        repetition=float(np.mean(repetition)),
        empty=float(np.mean([not text.strip() for text in texts])),
    )


def sweep_table(found: dict[Setting, Outcome], base: Outcome, chosen: Setting, settings: SweepSettings) -> pl.DataFrame:
    """SWEEP: the unsteered row, then all settings by method, layers and strength."""
    rows = []
    for setting, outcome in [(UNSTEERED, base), *sorted(found.items(), key=lambda item: item[0])]:
        rows.append(
            {
                "method": setting.method,
                "layers": list(setting.layers),
                "alpha": setting.alpha,
                "n": outcome.n,
                "hit_rate": outcome.hit_rate,
                "correct_change_rate": outcome.correct_change_rate,
                "log_perplexity": outcome.log_perplexity,
                "repetition": outcome.repetition,
                "fluent": is_fluent(outcome, base, settings),
                "chosen": setting == chosen,
            }
        )
    return SWEEP.frame(rows)


def choice_of(
    chosen: Setting, found: dict[Setting, Outcome], base: Outcome, norms: Sequence[float], settings: SweepSettings
) -> dict[str, Any]:
    """What choice.json holds: the setting, positions, residual norms per layer, and whether it is fluent."""
    return {
        "method": chosen.method,
        "layers": list(chosen.layers),
        "alpha": chosen.alpha,
        "positions": settings.positions,
        "residual_norms": list(norms),
        "fluent": is_fluent(found[chosen], base, settings),
    }


def _evaluated(evaluate: Evaluate, settings: Sequence[Setting]) -> dict[Setting, Outcome]:
    return dict(zip(settings, evaluate(settings), strict=True)) if settings else {}
