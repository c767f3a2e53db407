"""Every key of the config: one frozen model per stage, with bounds and a description.

`workflow/schemas/config.schema.json` and the table in config/README.md are generated from this file
(`make schema`). A rule passes exactly its stage's section to its program.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sociolect.errors import InputError

Split = Literal["single", "multi", "askx"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]


class Stage(BaseModel):
    """A section of the config: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DemoSettings(Stage):
    """The made-up corpus (only read where `corpus.source` is `demo`)."""

    answers_per_group: Positive = Field(500, description="Answers per group in split single.")
    multi_answers_per_group: Positive = Field(300, description="Answers per group in split multi.")
    askx_questions_per_group: Positive = Field(60, description="Questions per group in split askx.")
    answers_per_question: int = Field(2, ge=2, description="Answers per question in multi and askx.")
    questions_per_author: Positive = Field(3, description="Questions that one author answers in split single.")


class CorpusSettings(Stage):
    """Import and cleaning."""

    source: Literal["files", "demo"] = Field(
        "files", description="`files`: the paths below; `demo`: the made-up corpus."
    )
    paths: dict[Split, str] = Field(
        {"single": "data/single.parquet", "multi": "data/multi.parquet", "askx": "data/askx.parquet"},
        description="Input table of each split: .parquet, .csv or .jsonl. Leave a split out to run without it.",
    )
    min_chars: int = Field(20, ge=0, description="Shorter answers are left out.")
    max_chars: int = Field(20000, ge=1, description="Longer answers are left out.")

    @model_validator(mode="after")
    def _some_split(self) -> CorpusSettings:
        if not self.paths:
            raise ValueError("name at least one split under corpus.paths")
        return self


class Minimum(Stage):
    """Smallest group that takes part, per split (N4)."""

    single: Positive = Field(3500, description="Answers per group.")
    multi: Positive = Field(6000, description="Answers per group.")
    askx: Positive = Field(130, description="Questions per group.")


class PerGroup(Stage):
    """How many are drawn from each group, per split; null draws the minimum."""

    single: Positive | None = Field(None, description="Answers per group.")
    multi: Positive | None = Field(None, description="Answers per group.")
    askx: Positive | None = Field(None, description="Questions per group.")


class Parts(Stage):
    """Shares of train, val and test."""

    train: float = Field(0.7, gt=0, lt=1, description="Share of train.")
    val: float = Field(0.15, gt=0, lt=1, description="Share of val.")
    test: float = Field(0.15, gt=0, lt=1, description="Share of test.")

    @model_validator(mode="after")
    def _sum(self) -> Parts:
        if abs(self.train + self.val + self.test - 1) > 1e-9:
            raise ValueError("train, val and test must add up to 1")
        return self


class SamplingSettings(Stage):
    """Which groups take part, how many answers are drawn, and the partition."""

    minimum: Minimum = Field(Minimum(), description="Smallest group that takes part.")
    per_group: PerGroup = Field(PerGroup(), description="How many are drawn from each group.")
    answers_per_question: Positive = Field(3, description="Answers kept per drawn askx question.")
    parts: Parts = Field(Parts(), description="Shares of the parts.")
    max_component_share: float = Field(
        0.2,
        gt=0,
        le=1,
        description="Question-author components above this share of a group's questions are cut by dropping.",
    )


BackendName = Literal["transformers", "vllm"]
_BACKENDS = "transformers: the reference; vllm: faster, in an environment of its own (make setup-vllm)."


class DescriptionSettings(Stage):
    """Describing answers in sentences 'The author uses X.'"""

    describer: Literal["llm", "stylometry"] = Field(
        "llm", description="Who describes: a language model, or measured rates."
    )
    n_answers: Positive = Field(5000, description="Train answers described, balanced over groups (N3).")
    n_heldout: Positive = Field(
        600, description="Answers of val and of test each, to judge SFAM on texts it never saw."
    )
    backend: BackendName = Field("transformers", description=f"llm: the sentences. {_BACKENDS}")
    guided: bool = Field(
        True,
        description="llm with vLLM: decoding is held to lines 'The author uses X.', so that every one can be read.",
    )
    quantile: float = Field(
        0.7,
        gt=0.5,
        lt=1,
        description="stylometry: an attribute is said of the answers above this train quantile.",
    )
    prompt_file: str = Field("workflow/prompts/describe.yaml", description="llm: open and targeted questions.")
    batch_tokens: Positive = Field(8192, description="llm: token budget of a batch, prompt and output together.")
    max_new_tokens: Positive = Field(200, description="llm: output limit per prompt.")
    max_prompt_chars: Positive = Field(4000, description="llm: longer answers are cut for the prompt.")


class CatalogueSettings(Stage):
    """From sentences to K style attributes."""

    max_chars: Positive = Field(120, description="Longer attributes are rejected.")
    reject_words: tuple[str, ...] = Field(
        ("avoids", "avoid", "mentions", "mention", "quotes", "quote"),
        description="Attributes with one of these words are rejected.",
    )
    min_share: Share = Field(0.01, description="Rejected if fewer of the described authors have it.")
    max_share: Share = Field(0.60, description="Rejected if more of the described authors have it.")
    near_duplicate: float = Field(
        0.8, gt=0, le=1, description="Cosine of character n-grams above which the rarer one goes."
    )
    max_attributes: int = Field(768, ge=2, description="The most frequent ones are kept.")


class PairSettings(Stage):
    """Training pairs of SFAM."""

    pairs_per_answer: int = Field(16, ge=2, description="At most this many pairs per answer, half of them positive.")
    hard_share: Share = Field(
        0.5, description="Share of the negatives that are similar to an attribute the answer has."
    )
    held_out_share: float = Field(0.1, ge=0, lt=0.9, description="Share of the attributes that is never trained on.")
    random_per_answer: Positive = Field(4, description="Random pairs per held-out answer, for the false positive rate.")


class SfamSettings(Stage):
    """Training of SFAM, the style feature agreement model (N19)."""

    n_outputs: Literal[1, 2] = Field(2, description="2: agree and disagree with softmax; 1: one sigmoid.")
    max_tokens: int = Field(512, ge=16, description="Length of a pair; the answer is cut, the attribute never.")
    batch_size: int = Field(32, ge=2, description="Pairs per step, half positive.")
    learning_rate: float = Field(1e-5, gt=0, description="Peak learning rate of AdamW.")
    warmup_share: Share = Field(0.1, description="Share of the steps with a rising learning rate.")
    weight_decay: float = Field(0.01, ge=0, description="AdamW weight decay.")
    max_steps: Positive = Field(20000, description="Most optimiser steps.")
    eval_steps: Positive = Field(500, description="Steps between two looks at val.")
    patience: Positive = Field(5, description="Looks at val without improvement before stopping.")
    precision: Literal["fp32", "bf16"] = Field("fp32", description="bf16: autocast where the device has it.")


class LabelingSettings(Stage):
    """Scoring every answer on every attribute (N2)."""

    scorer: Literal["distilled", "cross_encoder"] = Field(
        "cross_encoder",
        description="cross_encoder: SFAM over all pairs of answer and attribute; distilled: a student of it, one pass "
        "per answer.",
    )
    max_tokens: int = Field(512, ge=16, description="Length of a pair; the answer is cut, the attribute never.")
    tokens_per_batch: int = Field(
        16384, ge=64, description="Token budget of a batch; halved by itself when memory runs out."
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="bf16: products in bfloat16 where the device has it; scores differ by up to 0.005."
    )
    compiled: bool = Field(False, description="torch.compile: needs a C++ compiler, and minutes to begin.")
    buckets: Positive = Field(64, description="Answers are hashed into this many resumable pieces.")
    shards: Positive = Field(2, description="Jobs that share the buckets. A change relabels nothing.")


class DistillationSettings(Stage):
    """The student of SFAM (only read where `labeling.scorer` is `distilled`)."""

    n_answers: Positive = Field(4000, description="Train answers that the teacher scores, balanced over groups.")
    n_heldout: Positive = Field(
        500, description="The same of val, to stop the training, and of test, to measure the fidelity."
    )
    batch_size: Positive = Field(32, description="Answers per step.")
    learning_rate: float = Field(5e-5, gt=0, description="Peak learning rate of AdamW.")
    weight_decay: float = Field(0.01, ge=0, description="AdamW weight decay.")
    max_epochs: Positive = Field(30, description="Most passes over the train answers.")
    patience: Positive = Field(4, description="Looks at val without a better mean correlation before stopping.")
    precision: Literal["fp32", "bf16"] = Field("fp32", description="bf16: autocast where the device has it.")
    min_pearson: float = Field(
        0.8, ge=-1, le=1, description="The run stops where the mean Pearson correlation on test answers is lower."
    )


class StudentJob(Stage):
    """What the student needs: its training, and how answers are labelled."""

    distillation: DistillationSettings
    labeling: LabelingSettings


class EmbeddingSettings(Stage):
    """Triplet training and its search (N5-N9, N20)."""

    n_trials: Positive = Field(25, description="Trials of the search.")
    max_epochs: Positive = Field(20, description="Most epochs of a trial.")
    patience: Positive = Field(4, description="Epochs without a better val accuracy before stopping.")
    roles: Literal["mixed", "disjoint"] = Field(
        "mixed", description="mixed: each sample in every role; disjoint: n // 2 anchors."
    )
    prototypes: int = Field(
        8,
        ge=0,
        le=64,
        description="Medians of drawn answers that each batch gets per group, as the group embedding is f(median). "
        "0: answers only.",
    )
    distances: tuple[Literal["euclidean", "cosine"], ...] = Field(
        ("euclidean", "cosine"), min_length=1, description="Distances searched."
    )
    margin: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = Field(
        (0.05, 1.0), description="Range of the margin, in units of the distance."
    )
    widths: tuple[Positive, ...] = Field((128, 256, 512), min_length=1, description="Hidden widths searched.")
    dimensions: tuple[Positive, ...] = Field((16, 32, 64), min_length=1, description="Output dimensions searched.")
    dropout: tuple[Share, Share] = Field((0.1, 0.6), description="Range of the dropout.")
    learning_rate: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = Field(
        (3e-4, 3e-3), description="Range of the learning rate."
    )
    batch_sizes: tuple[Annotated[int, Field(ge=4)], ...] = Field(
        (128, 256), min_length=1, description="Batch sizes searched."
    )
    miners: tuple[Literal["all", "semihard", "hard"], ...] = Field(
        ("all", "semihard", "hard"), min_length=1, description="Triplet miners searched."
    )

    @model_validator(mode="after")
    def _ranges(self) -> EmbeddingSettings:
        for name in ("margin", "dropout", "learning_rate"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: the lower end {low} is above the upper end {high}")
        if self.dropout[1] >= 1:
            raise ValueError("dropout must stay below 1")
        return self


class ProfileSettings(Stage):
    """Group profiles (N11) and distinctive attributes (N14)."""

    statistic: Literal["median", "mean", "usage"] = Field(
        "median", description="Style vector of a group, over its authors."
    )
    center: Literal["style", "mean_embedding", "geometric_median"] = Field(
        "style", description="Group embedding: f(group style), mean of f(s), or geometric median of f(s)."
    )
    distinctive_by: Literal["usage", "statistic"] = Field("usage", description="What the gaps of N14 are taken of.")
    distinctive_k: Positive = Field(8, description="Most distinctive attributes per group.")
    min_gap: float = Field(0.05, ge=0, lt=1, description="Smallest gap to the second group (tau).")
    bootstrap: Positive = Field(200, description="Resamples over authors for the selection frequency.")
    alike_below: Share = Field(0.65, description="Pairs told apart on val less well than this are reported as alike.")


class HubModel(Stage):
    """A model of the hub, pinned."""

    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="Owner and name, such as microsoft/deberta-v3-base.")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$", description="Commit of the model, 40 hex digits.")


# Pinned revisions, so that one word chooses a model.
KNOWN_MODELS = {
    "deberta-v3-base": ("microsoft/deberta-v3-base", "8ccc9b6f36199bec6961081d44eb72fb3f7353f3"),
    "deberta-v3-large": ("microsoft/deberta-v3-large", "64a8c8eab3e352a784c658aef62be1662607476f"),
    "qwen3-8b": ("Qwen/Qwen3-8B", "b968826d9c46dd6066d109eabc6255188de91218"),
}


class ModelsSettings(Stage):
    """Where the two models come from."""

    sfam: HubModel | Literal["scratch"] = Field(
        "scratch",
        description="Base of SFAM: `scratch`, `deberta-v3-base`, `deberta-v3-large`, or repo and revision.",
    )
    lm: HubModel | Literal["scratch"] = Field(
        "scratch", description="The language model: `scratch`, `qwen3-8b`, or repo and revision."
    )
    hub: str = Field(
        "https://huggingface.co", description="Address of the hub, or a folder with <repo>/ snapshots in its place."
    )
    dtype: Literal["float32", "bfloat16"] = Field("float32", description="Type of the language model's weights.")

    @field_validator("sfam", "lm", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if isinstance(value, str) and value in KNOWN_MODELS:
            repo, revision = KNOWN_MODELS[value]
            return {"repo": repo, "revision": revision}
        return value


class ScratchTokenizer(Stage):
    """Tokenizer of a model trained from scratch."""

    kind: Literal["word", "bpe"] = Field("word", description="word: every word of the corpus; bpe: byte-level pieces.")
    vocabulary: Positive = Field(4000, description="Most entries.")


class ScratchSfam(Stage):
    """Tiny DeBERTa, initialised at random."""

    tokenizer: ScratchTokenizer = Field(ScratchTokenizer(), description="Its tokenizer.")
    hidden: Positive = Field(64, description="Width.")
    layers: Positive = Field(2, description="Blocks.")
    heads: Positive = Field(4, description="Attention heads.")
    max_positions: Positive = Field(256, description="Longest input.")


class ScratchLm(Stage):
    """Tiny Llama, trained from scratch on the run's own train part."""

    tokenizer: ScratchTokenizer = Field(ScratchTokenizer(), description="Its tokenizer.")
    hidden: Positive = Field(128, description="Width of the residual stream.")
    layers: Positive = Field(4, description="Blocks.")
    heads: Positive = Field(4, description="Attention heads.")
    steps: Positive = Field(700, description="Optimiser steps.")
    batch_size: Positive = Field(64, description="Chats per step.")
    learning_rate: float = Field(2e-3, gt=0, description="Peak learning rate.")
    max_tokens: Positive = Field(192, description="Longest chat; answers are cut.")
    chats_per_answer: Positive = Field(
        2, description="Chats made of each train answer, each with its own instructions."
    )
    quantile: float = Field(
        0.6, gt=0.5, lt=1, description="Stylometry quantile for the style instructions it is trained on."
    )


class ScratchSettings(Stage):
    """Models trained from scratch."""

    sfam: ScratchSfam = Field(ScratchSfam(), description="The base of SFAM.")
    lm: ScratchLm = Field(ScratchLm(), description="The language model.")


class ActivationSettings(Stage):
    """Attribute vectors (N10, N12)."""

    backend: BackendName = Field(
        "transformers", description="greedy and sampled: who generates; activations are read with transformers."
    )
    role: Literal["raw", "system", "user"] = Field(
        "system", description="'You use X.' alone, or in this turn of the chat."
    )
    token: Literal["last", "mean"] = Field(
        "last", description="Last content token of X, or the mean over the tokens of X."
    )
    source: Literal["forward", "greedy", "sampled"] = Field(
        "forward", description="Read the sentence, or generated tokens after it."
    )
    samples: Positive = Field(4, description="sampled: generations per attribute.")
    max_new_tokens: Positive = Field(32, description="greedy and sampled: generated tokens that are averaged.")
    contrast: Literal["centred", "neutral", "raw"] = Field(
        "centred", description="Minus the mean over attributes, minus a neutral sentence, or as it is."
    )
    neutral: str = Field("You write a text.", description="The neutral sentence.")
    request: str = Field("Write a short text.", description="role system: the user turn after the sentence.")
    batch_tokens: Positive = Field(8192, description="Token budget of a batch.")


class SteeringSettings(Stage):
    """Group vectors (N13, N14)."""

    statistic: Literal["style", "mean", "usage"] = Field("style", description="Profile that the weights are made of.")
    transform: Literal["raw", "centred", "z"] = Field(
        "centred", description="Of the profile, over groups, before the softmax."
    )
    n_eff: float = Field(8.0, ge=1, description="Effective number of attributes that the temperature is calibrated to.")
    methods: tuple[Literal["all", "distinctive"], ...] = Field(("all", "distinctive"), description="Sets tried on val.")


class ProfileJob(Stage):
    """What profile_groups needs: the profiles, and the weights that steering makes of them."""

    profiles: ProfileSettings = Field(ProfileSettings(), description="Group profiles.")
    steering: SteeringSettings = Field(SteeringSettings(), description="Weights.")


class SweepSettings(Stage):
    """Choice of strength and layers on val."""

    backend: BackendName = Field("transformers", description=f"The answers to val questions. {_BACKENDS}")
    alphas: tuple[float, ...] = Field(
        (0.0, 0.05, 0.1, 0.2, 0.4, 0.8), description="Strengths, in units of the median residual norm."
    )
    depths: tuple[float, ...] = Field(
        (0.25, 0.4, 0.5, 0.6, 0.75), description="Relative depths of the single layers tried."
    )
    band: tuple[float, float] | None = Field(
        (0.4, 0.6), description="Relative depths between which all layers are steered at once; null for none."
    )
    refine: Positive | None = Field(
        3,
        description="Every second strength is tried everywhere, the others at this many best pairs of method and "
        "layers; null tries all everywhere.",
    )
    questions_per_group: Positive = Field(8, description="Val questions per group.")
    max_log_perplexity_change: float = Field(0.5, gt=0, description="Fluency guard, two-sided, against alpha = 0.")
    max_repetition: Share = Field(0.3, description="Fluency guard: most repeated 3-grams.")
    positions: Literal["generated", "last", "all"] = Field("generated", description="Where the vector is added.")


class GenerationSettings(Stage):
    """The eight conditions."""

    backend: BackendName = Field("transformers", description=f"The answers. {_BACKENDS}")
    prompt_file: str = Field("workflow/prompts/conditions.yaml", description="Templates of the eight conditions.")
    samples: Positive = Field(3, description="Generations per question, condition and target.")
    questions_per_group: Positive | None = Field(None, description="Test questions per group; null takes all.")
    targets: Literal["own", "cross"] = Field(
        "own", description="own: the group the question was put to; cross: all other groups too."
    )
    max_new_tokens: Positive = Field(256, description="Longest generation.")
    max_question_chars: Positive = Field(2000, description="Longer questions are cut for the prompt.")
    temperature: float = Field(1.0, ge=0, description="0 is greedy.")
    top_p: float = Field(1.0, gt=0, le=1, description="Nucleus.")
    batch_tokens: Positive = Field(16384, description="Token budget of a batch, prompt and output together.")
    buckets: Positive = Field(16, description="Requests are hashed into this many resumable pieces.")
    shards: Positive = Field(1, description="Jobs that share the buckets. A change regenerates nothing.")


class SweepJob(Stage):
    """What `choose_strength` needs: it steers, generates and labels."""

    sweep: SweepSettings
    generation: GenerationSettings
    labeling: LabelingSettings
    steering: SteeringSettings


class EvaluationSettings(Stage):
    """The comparison table."""

    resamples: int = Field(2000, ge=100, description="Paired cluster bootstrap over questions.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Level of the intervals.")
    tie_tolerance: float = Field(1e-9, ge=0, description="Distances closer than this are a tie.")


class EstimateSettings(Stage):
    """What a run will take: the probe of this machine, and the budget."""

    budget_hours: float = Field(200.0, gt=0, description="Machine hours that the run may take (N3).")
    seconds: float = Field(20.0, gt=0, description="Seconds that each stage is timed for, at least.")


class VllmSettings(Stage):
    """How vLLM is run, where a stage has `backend: vllm`."""

    steering: Literal["eager", "compiled", "one_vector"] = Field(
        "eager",
        description="eager: hooks, any vectors in one batch; compiled: the same hooks inside torch.compile and CUDA "
        "graphs; one_vector: one vector per call, without anything of vLLM's runner.",
    )
    slots: Positive = Field(128, description="Distinct steerings held at once; more are served in rounds.")
    context: Positive | None = Field(None, description="Longest prompt and output together; null: the model's.")
    max_sequences: Positive = Field(256, description="Most requests under way at once.")
    batch_tokens: Positive | None = Field(None, description="Most tokens of a forward pass; null: vLLM's choice.")
    memory_share: float = Field(0.9, gt=0, lt=1, description="Share of the GPU's memory for weights and cache.")
    cache_gib: float | None = Field(
        None, gt=0, description="Memory for keys and values in GiB; null: what memory_share leaves, on a CPU 1."
    )
    prefix_caching: bool = Field(True, description="Keys and values of equal beginnings are computed once.")
    tensor_parallel: Positive = Field(1, description="GPUs that share the model, in every job with `backend: vllm`.")


class BackendChoice(Stage):
    """What a program that generates is told: the backend, and how vLLM is run."""

    backend: BackendName
    vllm: VllmSettings = VllmSettings()


class Experiment(Stage):
    """One fit and one set of questions."""

    fit: tuple[Split, ...] = Field(min_length=1, description="Splits that the net and the profiles are fitted on.")
    ask: Split = Field(description="Split whose test questions are asked.")


class ReportSettings(Stage):
    """What the report says of the run: a part of the config, not a section of it."""

    run: Name = Field(description="Name of the run.")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="The experiments, in the config's order.")
    models: ModelsSettings | None = Field(None, description="The two models, to be named in the header.")


class ProbeJob(Stage):
    """What `probe_rates` needs: it does a little of each costly stage."""

    estimate: EstimateSettings
    description: DescriptionSettings
    catalogue: CatalogueSettings
    sfam: SfamSettings
    labeling: LabelingSettings
    distillation: DistillationSettings
    scratch: ScratchSettings
    activations: ActivationSettings
    generation: GenerationSettings


class EstimateJob(Stage):
    """What `estimate_cost` needs: all that says how much there is to do."""

    estimate: EstimateSettings
    experiments: dict[Name, Experiment]
    description: DescriptionSettings
    catalogue: CatalogueSettings
    sfam: SfamSettings
    labeling: LabelingSettings
    distillation: DistillationSettings
    models: ModelsSettings
    scratch: ScratchSettings
    steering: SteeringSettings
    sweep: SweepSettings
    generation: GenerationSettings


class Config(Stage):
    """The whole config file."""

    run: Name = Field(description="Name of the run; everything lands in results/<run>/.")
    seed: int = Field(1, ge=0, description="All randomness follows from it.")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="Name -> fit splits and ask split.")
    group_parents: dict[str, str] = Field(
        {}, description="Group -> parent group (N6); results are given for both levels."
    )
    corpus: CorpusSettings = Field(CorpusSettings(), description="Import and cleaning.")
    demo: DemoSettings = Field(DemoSettings(), description="The made-up corpus.")
    sampling: SamplingSettings = Field(SamplingSettings(), description="Groups, draws, partition.")
    description: DescriptionSettings = Field(DescriptionSettings(), description="Sentences about answers.")
    catalogue: CatalogueSettings = Field(CatalogueSettings(), description="Style attributes.")
    pairs: PairSettings = Field(PairSettings(), description="Training pairs of SFAM.")
    sfam: SfamSettings = Field(SfamSettings(), description="Training of SFAM.")
    labeling: LabelingSettings = Field(LabelingSettings(), description="Style vectors.")
    distillation: DistillationSettings = Field(DistillationSettings(), description="The student of SFAM.")
    embedding: EmbeddingSettings = Field(EmbeddingSettings(), description="Triplet training.")
    profiles: ProfileSettings = Field(ProfileSettings(), description="Group profiles.")
    models: ModelsSettings = Field(ModelsSettings(), description="The two models.")
    scratch: ScratchSettings = Field(ScratchSettings(), description="Models trained from scratch.")
    activations: ActivationSettings = Field(ActivationSettings(), description="Attribute vectors.")
    steering: SteeringSettings = Field(SteeringSettings(), description="Group vectors.")
    sweep: SweepSettings = Field(SweepSettings(), description="Strength and layers.")
    generation: GenerationSettings = Field(GenerationSettings(), description="Generation.")
    vllm: VllmSettings = Field(VllmSettings(), description="vLLM.")
    evaluation: EvaluationSettings = Field(EvaluationSettings(), description="The comparison.")
    estimate: EstimateSettings = Field(EstimateSettings(), description="What the run will take.")

    @model_validator(mode="after")
    def _splits_exist(self) -> Config:
        have = set(self.splits)
        for name, experiment in self.experiments.items():
            for split in (*experiment.fit, experiment.ask):
                if split not in have:
                    raise ValueError(f"experiments.{name} needs split {split!r}; add corpus.paths.{split}")
        return self

    @property
    def splits(self) -> list[str]:
        """Splits of the run, in the fixed order single, multi, askx."""
        have = {"single", "multi", "askx"} if self.corpus.source == "demo" else set(self.corpus.paths)
        return [s for s in ("single", "multi", "askx") if s in have]


def load_config(values: dict[str, Any], where: str) -> Config:
    """Check the values of a config file.

    Raises:
        InputError: naming `where`, the key and what is wrong with it.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"]) or "(top level)"
            hint = ""
            if problem["type"] == "extra_forbidden":
                hint = f"; known keys here: {', '.join(_known_keys(problem['loc'][:-1]))}"
            lines.append(f"{where}: key {key!r}: {problem['msg']}{hint}")
        raise InputError("\n".join(lines)) from error


def read_config(path: Path) -> Config:
    """Read and check a config file."""
    return load_config(yaml.safe_load(path.read_text(encoding="utf-8")) or {}, str(path))


def section(config: Config, *names: str, only: dict[str, set[str]] | set[str] | None = None) -> dict[str, Any]:
    """A stage's section as plain values; with several names, one dict per name.

    Args:
        config: checked config.
        names: sections.
        only: keys to keep; with several sections, by section (a section that is not named is kept whole).
    """
    if len(names) == 1 and not isinstance(only, dict):
        return dict(getattr(config, names[0]).model_dump(mode="json", include=only))
    values = config.model_dump(mode="json", include=set(names))
    keep = only if isinstance(only, dict) else {}
    return {n: {k: v for k, v in values[n].items() if k in keep[n]} if n in keep else values[n] for n in names}


def schema_text() -> str:
    """JSON Schema of the config file."""
    schema = Config.model_json_schema()
    schema["$schema"] = "http://json-schema.org/draft-07/schema#"
    return json.dumps(schema, indent=2) + "\n"


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    model: Any = Config
    for part in loc:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            return sorted(Experiment.model_fields) if loc and loc[0] == "experiments" else []
        model = field.annotation
    return sorted(getattr(model, "model_fields", {}))
