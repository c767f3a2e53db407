"""Choice of method, layers and strength on val: the most style gained that leaves the text fluent and on topic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from sociolect.common.errors import InputError
from sociolect.common.schemas import SWEEP
from sociolect.settings.steering import SweepSettings

__all__ = [
    "UNSTEERED",
    "Outcome",
    "Setting",
    "best_of",
    "candidates",
    "choice_of",
    "layer_sets",
    "question_shares",
    "search",
    "sweep_table",
    "try_all",
]


@dataclass(frozen=True, order=True)
class Setting:
    """One way of steering."""

    method: str
    layers: tuple[int, ...]
    alpha: float
    positions: str


@dataclass(frozen=True)
class Outcome:
    """What a setting does to the val questions.

    Attributes:
        n: generations, towards own and towards other groups.
        hit_rate: own targets, share whose nearest group is the target.
        correct_change_rate: own targets, share that came to the target from elsewhere.
        gain_own: own targets, rise of the target's share against the unsteered answers, mean over judges of style.
        gain_cross: other targets, the same.
        topic_loss: other targets, fall of the question's group's share in the eyes of the topic probe.
        log_perplexity: mean over the non-empty; None if all are empty.
        repetition: mean share of repeated 3-grams.
        empty: share without text.
        gain_error: standard error of the gain, over questions.
    """

    n: int
    hit_rate: float
    correct_change_rate: float
    gain_own: float
    gain_cross: float
    topic_loss: float
    log_perplexity: float | None
    repetition: float
    empty: float
    gain_error: float = 0.0

    @property
    def gain(self) -> float:
        """What the choice maximizes."""
        return (self.gain_own + self.gain_cross) / 2


UNSTEERED = Setting("unsteered", (), 0.0, "")
_MORE_EMPTY = 0.1  # more empty answers than this above the unsteered share are not fluent
# settings and share of the questions -> their outcomes
Evaluate = Callable[[Sequence[Setting], float], Sequence[Outcome]]
Found = Mapping[Setting, Outcome]


def layer_sets(settings: SweepSettings, n_layers: int) -> list[tuple[int, ...]]:
    """Single layers at the relative depths (block floor(depth * n_layers)), then the band; no set twice."""

    def block(depth: float) -> int:
        return min(n_layers - 1, int(depth * n_layers))

    sets: list[tuple[int, ...]] = [(block(depth),) for depth in settings.depths]
    if settings.band is not None:
        low, high = settings.band
        sets.append(tuple(range(block(low), block(high) + 1)))
    return list(dict.fromkeys(sets))


def candidates(method: str, n_layers: int, settings: SweepSettings) -> list[Setting]:
    """All settings of a method, smaller strengths first."""
    alphas = sorted({a for a in settings.alphas if a > 0})
    sets = layer_sets(settings, n_layers)
    return [Setting(method, layers, a, p) for a in alphas for layers in sets for p in settings.positions]


def question_shares(settings: SweepSettings) -> list[float]:
    """Share of the questions that each round tries, the last one all."""
    return [2.0 ** (round_ - settings.halvings) for round_ in range(settings.halvings + 1)]


def search(
    evaluate: Evaluate, tried: Sequence[Setting], settings: SweepSettings, bases: Sequence[Outcome]
) -> dict[Setting, Outcome]:
    """Successive halving (Jamieson and Talwalkar 2016): after each round the better half goes on.

    Better is inside the fluency guard, then the larger gain less what the topic lost beyond its guard, then the order
    given; one at least goes on. On few questions the topic probe errs too much to exclude anything.

    Args:
        evaluate: settings and share of the questions -> outcomes.
        tried: the settings.
        settings: rounds and guards.
        bases: unsteered outcome of each round.

    Returns:
        Every setting with the outcome of its last round.
    """

    def merit(outcome: Outcome) -> float:
        return outcome.gain - max(0.0, outcome.topic_loss - settings.max_topic_loss)

    found: dict[Setting, Outcome] = {}
    left = list(tried)
    shares = question_shares(settings)
    for number, (share, base) in enumerate(zip(shares, bases, strict=True)):
        outcomes = dict(zip(left, evaluate(left, share), strict=True))
        found |= outcomes
        if number + 1 < len(shares):
            ranked = sorted(left, key=lambda s: (not is_fluent(outcomes[s], base, settings), -merit(outcomes[s])))
            left = [s for s in left if s in set(ranked[: max(1, len(left) // 2)])]
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


def is_on_topic(outcome: Outcome, settings: SweepSettings) -> bool:
    """Inside the guard of the topic."""
    return outcome.topic_loss <= settings.max_topic_loss


def is_kept(outcome: Outcome, base: Outcome, settings: SweepSettings) -> bool:
    """Inside both guards."""
    return is_fluent(outcome, base, settings) and is_on_topic(outcome, settings)


def best_of(found: Found, base: Outcome, settings: SweepSettings) -> Setting:
    """The setting inside both guards that gains most, of those that were tried on all questions.

    Not to steer is one of them: nothing is chosen that gains no more than its standard error. Ties go to the smaller
    strength, then to fewer layers, then to the order of evaluation.
    """
    full = {s: o for s, o in found.items() if o.n == base.n and is_kept(o, base, settings) and o.gain > o.gain_error}
    order = {setting: i for i, setting in enumerate(found)}
    best = min(full, key=lambda s: (-full[s].gain, s.alpha, len(s.layers), order[s]), default=UNSTEERED)
    return best


def sweep_table(found: Found, base: Outcome, settings: SweepSettings) -> pl.DataFrame:
    """SWEEP: the unsteered row, then all settings by method, layers, strength and positions; nothing is chosen yet."""
    rows = []
    for setting, o in [(UNSTEERED, base), *sorted(found.items(), key=lambda item: item[0])]:
        rows.append(
            {
                "method": setting.method,
                "layers": list(setting.layers),
                "alpha": setting.alpha,
                "positions": setting.positions,
                "n": o.n,
                "hit_rate": o.hit_rate,
                "correct_change_rate": o.correct_change_rate,
                "gain_own": o.gain_own,
                "gain_cross": o.gain_cross,
                "gain": o.gain,
                "gain_error": o.gain_error,
                "topic_loss": o.topic_loss,
                "log_perplexity": o.log_perplexity,
                "repetition": o.repetition,
                "fluent": is_fluent(o, base, settings),
                "on_topic": is_on_topic(o, settings),
                "chosen": False,
                "best": False,
            }
        )
    return SWEEP.frame(rows)


def try_all(
    evaluate: Evaluate, base: Callable[[float], Outcome], tried: Sequence[Setting], settings: SweepSettings
) -> tuple[dict[Setting, Outcome], Outcome, Setting]:
    """Outcomes of a method's settings, the unsteered outcome of all questions, and the best setting.

    Args:
        evaluate: settings and share of the questions -> outcomes.
        base: share of the questions -> unsteered outcome.
        tried: the settings; with none it is best not to steer.
        settings: rounds and guards.
    """
    bases = [base(share) for share in question_shares(settings)]
    found = search(evaluate, tried, settings, bases) if tried else {}
    return found, bases[-1], best_of(found, bases[-1], settings)


def choice_of(
    tried: Sequence[pl.DataFrame], modes: Mapping[str, str], norms: Sequence[float], usable: Sequence[str]
) -> tuple[dict[str, Any], pl.DataFrame]:
    """What choice.json holds, and the SWEEP of all methods with the chosen setting marked.

    Every method is shown with its best setting, also where that is outside the guard of the topic or gains nothing:
    what it does to style and topic is told on test. Chosen is one inside both guards that gains more than its error.

    Args:
        tried: SWEEP of each method.
        modes: method -> how it is applied.
        norms: residual norms per block.
        usable: methods that have a vector for every group: the others are shown, but cannot be chosen.

    Raises:
        InputError: no method is usable, or they were tried beside different unsteered answers.
    """
    names = {frame["method"][-1]: frame for frame in tried}
    bases = [names[name].filter(pl.col("method") == UNSTEERED.method) for name in names if name in usable]
    if not bases:
        raise InputError(
            f"none of steering.methods ({', '.join(names)}) has a vector for every group: some have no distinctive "
            "attributes; add `all` to steering.methods, lower profiles.min_gap, or leave these groups out"
        )
    # what the judges say of them may differ by a tie between two kinds of processors
    told = [base.select("n", "log_perplexity", "repetition") for base in bases]
    if not all(one.equals(told[0]) for one in told):
        raise InputError("methods were tried beside different unsteered answers; delete steering/<experiment>/tried")
    shown = {row["method"]: row for frame in tried if (row := _shown(frame)) is not None}
    keys = [(row["method"], row["layers"], row["alpha"], row["positions"]) for row in shown.values()]
    steered = pl.concat(frame.filter(pl.col("method") != UNSTEERED.method) for frame in tried)
    marks = [key in keys for key in steered.select("method", "layers", "alpha", "positions").iter_rows()]
    steered = steered.with_columns(pl.Series("best", marks, dtype=pl.Boolean))
    methods = steered["method"].unique(maintain_order=True).to_list()
    able = [name for name in methods if name in usable and name in shown and _is_inside(shown[name])]
    # ties go to the order of steering.methods
    chosen = min(able, key=lambda name: -shown[name]["gain"], default=None)
    entries = {name: _entry(name, shown.get(name), steered, modes) for name in methods}
    first = next((name for name in methods if name in usable), methods[0])
    base = bases[0].row(0, named=True)
    used = entries[chosen] if chosen is not None else entries[first] | {"alpha": 0.0}
    choice = used | {
        "residual_norms": list(norms),
        "fluent": chosen is not None,
        "why": _why(chosen, {name: shown[name] for name in able}, base, steered),
        "methods": entries,
    }
    mark = pl.col("best") & (pl.col("method") == chosen) if chosen is not None else pl.lit(False)
    table = pl.concat([bases[0], steered.sort("method", "layers", "alpha", "positions")])
    return choice, table.with_columns(chosen=mark if chosen is not None else pl.col("method") == UNSTEERED.method)


def _shown(frame: pl.DataFrame) -> dict[str, Any] | None:
    """The row of SWEEP that a method is shown with: of the fluent settings that were tried on all questions the one
    that gains most inside the guard of the topic, or else of all; None where none is fluent."""
    rows = frame.filter(pl.col("method") != UNSTEERED.method, pl.col("n") == frame["n"][0], "fluent").to_dicts()
    return min(
        rows,
        key=lambda row: (not _is_inside(row), -row["gain"], row["alpha"], len(row["layers"]), row["layers"]),
        default=None,
    )


def _is_inside(row: Mapping[str, Any]) -> bool:
    """Whether a fluent setting may be chosen."""
    return bool(row["on_topic"] and row["gain"] > row["gain_error"])


def _entry(name: str, row: Mapping[str, Any] | None, steered: pl.DataFrame, modes: Mapping[str, str]) -> dict[str, Any]:
    """How a method is applied on test; with strength 0 where nothing was fluent."""
    used = row or {**steered.filter(pl.col("method") == name).row(0, named=True), "alpha": 0.0}
    keys = ("method", "layers", "alpha", "positions")
    return {key: used[key] for key in keys} | {"mode": modes[name], "inside": row is not None and _is_inside(row)}


def _why(chosen: str | None, shown: Mapping[str, Any], base: Mapping[str, Any], steered: pl.DataFrame) -> str:
    """The choice in words."""
    n = steered.height
    inside = steered.filter(pl.col("fluent") & pl.col("on_topic")).height
    if chosen is None:
        return (
            f"not to steer: of {n} settings {inside} are inside the guards, and none of a method for all groups gains"
        )
    row = shown[chosen]
    others = sorted((r for name, r in shown.items() if name != chosen), key=lambda r: -r["gain"])
    next_best = f"; next best {others[0]['method']} with {others[0]['gain']:+.3f}" if others else ""
    return (
        f"{chosen} at blocks {', '.join(map(str, row['layers']))} with strength {row['alpha']:g}: share of the target "
        f"{row['gain_own']:+.3f} on own and {row['gain_cross']:+.3f} on other targets (mean over judges of style, "
        f"standard error {row['gain_error']:.3f}, {row['n']} val answers), topic {-row['topic_loss']:+.3f}, "
        f"log perplexity {row['log_perplexity']:.2f} after {base['log_perplexity']:.2f}; {inside} of {n} settings are "
        f"inside the guards{next_best}"
    )
