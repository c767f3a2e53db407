"""Counts of what a config implies, rule by rule: functions of the settings and of the run's samples alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from sociolect.common.errors import InputError
from sociolect.corpus.experiments import groups_of
from sociolect.estimate.probing import TAGGING
from sociolect.estimate.texts import most_attributes
from sociolect.generation.conditions import BASELINE, conditions_of
from sociolect.settings.base import Experiment
from sociolect.settings.estimate import EstimateJob
from sociolect.sfam.training import EVAL_PAIRS
from sociolect.steering.methods import reads_of
from sociolect.steering.sweep import Outcome, Setting, candidates, question_shares, search

__all__ = ["LESSON", "Attributes", "Work", "attributes_of", "count_work", "n_questions", "n_tries"]

EXACT, AT_MOST, ABOUT = "exact", "at most", "about"
# blocks assumed of a hub model: so many that no two depths fall on one block
MANY_LAYERS = 1000
PARTS = ("train", "val", "test")
LESSON = "lesson and attribute"  # what the teacher scores for the student


@dataclass(frozen=True)
class Work:
    """What one rule has to do of one kind.

    Attributes:
        rule: name of the rule.
        probe: the rate that it is multiplied with.
        unit: what is counted.
        units: how many.
        bound: exact, at most, or about.
        jobs: jobs that do it; 0 where another row of the rule counts them.
        gpus: GPUs that a job asks for.
    """

    rule: str
    probe: str
    unit: str
    units: int
    bound: str = EXACT
    jobs: int = 0
    gpus: int = 1


@dataclass(frozen=True)
class Attributes:
    """K, and whether it is the catalogue's or the most that the config allows."""

    k: int
    bound: str


def attributes_of(settings: EstimateJob, catalogue: pl.DataFrame | None) -> Attributes:
    """K of the catalogue where there is one; else the most that there can be."""
    if catalogue is not None:
        return Attributes(catalogue.height, EXACT)
    most = settings.catalogue.max_attributes
    return Attributes(most_attributes(settings.description.describer, most, settings.syntax.tagger), AT_MOST)


def count_work(
    settings: EstimateJob, samples: Mapping[str, pl.DataFrame], attributes: Attributes, n_prompts: int
) -> list[Work]:
    """All costly work of a run, in the order of the workflow.

    Args:
        settings: of all stages that say how much there is to do.
        samples: split -> SAMPLES.
        attributes: K.
        n_prompts: questions that the `llm` describer asks about an answer.

    Raises:
        InputError: there are no samples, an experiment names a split without samples, or has no two groups.
    """
    if not samples:
        raise InputError("no samples are given: name at least one split")
    empty = sorted(split for split, frame in samples.items() if frame.is_empty())
    if empty:
        raise InputError(f"split {empty[0]!r} has no samples, so there is nothing to estimate; lower sampling.minimum")
    plans = [_plan(name, experiment, settings, samples) for name, experiment in settings.experiments.items()]
    requests, asked = sum(p.requests for p in plans), len(plans)
    generated, tried = sum(p.generated for p in plans), sum(p.tried for p in plans)
    humans = sum(p.humans for p in plans)
    # splits that no experiment uses are not labeled
    used = {split for e in settings.experiments.values() for split in (*e.fit, e.ask)}
    answers, new = sum(samples[split].height for split in used), settings.generation.max_new_tokens
    shards = settings.labeling.shards
    tried_scored, tried_bound = _scored(settings, tried, attributes)
    return [
        _describing(settings, samples, n_prompts),
        *_scratch_lm(settings),
        *_training(settings),
        *_teaching(settings, samples, attributes),
        *_calibrating(settings, samples),
        *_tagging(settings, samples, requests, humans, asked, tried),
        _labeling("answer", answers, settings, attributes, shards * len(used)),
        _labeling("generation", requests, settings, attributes, shards * asked, AT_MOST),
        # whom the judges are measured on: test answers as short as generations
        _labeling("short answer", humans, settings, attributes, shards * asked),
        Work("extract_activations", "activations", "attribute sentence", attributes.k, attributes.bound, 1),
        Work("read_answers", "activations", "answer", sum(p.read for p in plans), AT_MOST, asked),
        Work("answer_unsteered", "generation", "token", sum(p.val for p in plans) * new, AT_MOST, asked),
        Work("try_method", "generation", "token", tried * new, AT_MOST, asked * len(settings.steering.methods)),
        Work("try_method", _scorer(settings), _scored_unit(settings, "tried text"), tried_scored, tried_bound),
        Work("try_method", "fluency", "text", tried, AT_MOST),
        Work("choose_wording", "generation", "token", 8 * sum(p.val for p in plans) * new, ABOUT, asked),
        Work("generate_answers", "generation", "token", generated * new, AT_MOST, asked * settings.generation.shards),
        Work("measure_fluency", "fluency", "text", requests, AT_MOST, asked),
    ]


def n_questions(frame: pl.DataFrame, groups: Sequence[str], part: str, per_group: int | None) -> int:
    """Questions of a part that are asked: all of each group, or the first `per_group`."""
    own = frame.filter((pl.col("part") == part) & pl.col("group").is_in(list(groups)))
    counts = own.unique(["question_id", "group"]).group_by("group").len()["len"]
    return sum(n if per_group is None else min(n, per_group) for n in counts)


def n_tries(settings: EstimateJob, questions: int) -> int:
    """Texts that the sweep generates: the search itself, run on outcomes that are all alike.

    Args:
        settings: of all stages.
        questions: val questions; each is asked towards two targets.
    """
    scratch = settings.models.lm == "scratch"
    alike = Outcome(1, 0.0, 0.0, 0.0, 0.0, 0.0, None, 0.0, 0.0)
    asked: dict[Setting, float] = {}

    def evaluate(tried: Sequence[Setting], share: float) -> list[Outcome]:
        # what an earlier round generated is kept
        asked.update(dict.fromkeys(tried, share))
        return [alike] * len(tried)

    layers = settings.scratch.lm.layers if scratch else MANY_LAYERS
    bases = [alike] * len(question_shares(settings.sweep))
    for method in settings.steering.methods:
        search(evaluate, candidates(method, layers, settings.sweep), settings.sweep, bases)
    return round(sum(asked.values()) * questions * 2)


@dataclass(frozen=True)
class _Plan:
    """Texts of one experiment: read, asked unsteered on val, tried by the sweep, requested, and generated (equal
    requests once); and human test answers."""

    humans: int
    read: int
    val: int
    tried: int
    requests: int
    generated: int


def _plan(name: str, experiment: Experiment, settings: EstimateJob, samples: Mapping[str, pl.DataFrame]) -> _Plan:
    for split in (*experiment.fit, experiment.ask):
        if split not in samples:
            raise InputError(f"experiments.{name} needs split {split!r}, which has no samples")
    ask, generation = samples[experiment.ask], settings.generation
    groups = groups_of([samples[split] for split in experiment.fit], ask)
    asked = n_questions(ask, groups, "test", generation.questions_per_group) * generation.samples
    more = {"own": 0, "drawn": 1, "cross": len(groups) - 1}[generation.targets]
    conditions = conditions_of(settings.steering.methods, settings.adapters.enabled).values()
    requests = asked * sum(1 + (more if c.cross else 0) for c in conditions)
    # what neither names nor steers towards its target is generated once for all targets
    plain = sum(c.kind == BASELINE and c.method is None and c.cross for c in conditions)
    val = n_questions(ask, groups, "val", settings.sweep.questions_per_group)
    kinds = {"answers", "content", *reads_of(settings.steering.methods)}
    read = len(groups) * settings.readings.answers_per_group * len(kinds)
    humans = ask.filter((pl.col("part") == "test") & pl.col("group").is_in(groups)).height
    return _Plan(humans, read, val, n_tries(settings, val), requests, requests - asked * more * plain)


def _available(samples: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    """Distinct answers of each part: one that is in several splits is drawn once."""
    pool = pl.concat([frame.select("answer_id", "part") for frame in samples.values()]).unique("answer_id")
    return {part: pool.filter(pl.col("part") == part).height for part in PARTS}


def _drawn(samples: Mapping[str, pl.DataFrame], n_train: int, n_heldout: int) -> int:
    have = _available(samples)
    return min(n_train, have["train"]) + min(n_heldout, have["val"]) + min(n_heldout, have["test"])


def _describing(settings: EstimateJob, samples: Mapping[str, pl.DataFrame], n_prompts: int) -> Work:
    answers = _drawn(samples, settings.description.n_answers, settings.description.n_heldout)
    if settings.description.describer != "llm":
        return Work("describe_style", "describing", "answer", answers, EXACT, 1, gpus=0)
    return Work("describe_style", "describing", "prompt", answers * n_prompts, AT_MOST, 1)


def _scratch_lm(settings: EstimateJob) -> list[Work]:
    if settings.models.lm != "scratch":
        return []
    return [Work("train_scratch_lm", "scratch_lm", "training step", settings.scratch.lm.steps, EXACT, 1, gpus=0)]


def _calibrating(settings: EstimateJob, samples: Mapping[str, pl.DataFrame]) -> list[Work]:
    """Where the describer measures, the measures of all train answers, once."""
    if settings.description.describer != "stylometry":
        return []
    return [Work("calibrate_measures", "describing", "answer", _available(samples)["train"], EXACT, 1, gpus=0)]


def _tagging(
    settings: EstimateJob, samples: Mapping[str, pl.DataFrame], requests: int, humans: int, experiments: int, tried: int
) -> list[Work]:
    """Answers; where the measures are the style vectors, also what is labeled beside them and what the sweep tries."""
    if settings.syntax.tagger == "none":
        return []
    splits: set[str] = {split for e in settings.experiments.values() for split in e.fit}
    if settings.description.describer == "stylometry" or settings.models.lm == "scratch":
        # both measure all splits
        splits = set(samples)
    answers = sum(samples[split].height for split in splits)
    of_answers = Work("tag_answers", TAGGING, "answer", answers, EXACT, len(splits), gpus=0)
    if settings.labeling.scorer != "measured":
        return [of_answers]
    return [
        of_answers,
        Work("tag_answers", TAGGING, "generation", requests, AT_MOST, experiments, gpus=0),
        Work("tag_answers", TAGGING, "short answer", humans, EXACT, experiments, gpus=0),
        Work("try_method", TAGGING, "tagged text", tried, AT_MOST, gpus=0),
    ]


def _training(settings: EstimateJob) -> list[Work]:
    if settings.labeling.scorer == "measured":
        return []
    looks = -(-settings.sfam.max_steps // settings.sfam.eval_steps)
    return [
        Work("train_sfam", "sfam_training", "training step", settings.sfam.max_steps, AT_MOST, 1),
        Work("train_sfam", "teacher", "pair of a look at val", looks * EVAL_PAIRS, ABOUT),
    ]


def _teaching(settings: EstimateJob, samples: Mapping[str, pl.DataFrame], attributes: Attributes) -> list[Work]:
    """The student's lessons: all attributes of some answers by the teacher, and passes over them to learn."""
    if settings.labeling.scorer != "distilled":
        return []
    distillation = settings.distillation
    scored = _drawn(samples, distillation.n_answers, distillation.n_heldout)
    passes = distillation.max_epochs * min(distillation.n_answers, _available(samples)["train"])
    return [
        Work("label_answers", "teacher", LESSON, scored * attributes.k, attributes.bound, settings.labeling.shards),
        Work("distil_student", "student_training", "answer and epoch", passes, AT_MOST, 1),
        Work("measure_fidelity", "student", "lesson", scored, EXACT, 1),
    ]


def _scorer(settings: EstimateJob) -> str:
    """The probe of what labels."""
    return {"distilled": "student", "measured": "describing"}.get(settings.labeling.scorer, "teacher")


def _by_pairs(settings: EstimateJob) -> bool:
    """Whether pairs of text and attribute are scored: by SFAM, or by what is made of it."""
    return settings.labeling.scorer not in ("distilled", "measured")


def _scored_unit(settings: EstimateJob, what: str) -> str:
    return f"pair of {what} and attribute" if _by_pairs(settings) else what


def _scored(settings: EstimateJob, texts: int, attributes: Attributes, bound: str = AT_MOST) -> tuple[int, str]:
    """Units of the scorer for some texts: pairs with all attributes, or one pass per text."""
    if not _by_pairs(settings):
        return texts, bound
    return texts * attributes.k, bound if attributes.bound == EXACT else AT_MOST


def _labeling(
    what: str, texts: int, settings: EstimateJob, attributes: Attributes, jobs: int, bound: str = EXACT
) -> Work:
    units, bound = _scored(settings, texts, attributes, bound)
    gpus = 0 if settings.labeling.scorer == "measured" else 1
    return Work("label_answers", _scorer(settings), _scored_unit(settings, what), units, bound, jobs, gpus)
