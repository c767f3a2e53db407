# Files of a split, of an experiment, of what is labeled: wildcards and shards, functions of the wildcards, and what goes
# with them as a flag.


scattergather:
    labels=CONFIG.labeling.shards,
    generations=CONFIG.generation.shards,


wildcard_constraints:
    split=one_of(CONFIG.splits),
    experiment=one_of(CONFIG.experiments),
    texts=one_of(
        CONFIG.splits,
        [f"{what}-{name}" for what in ("generations", "humans") for name in CONFIG.experiments],
        ["distillation"],
    ),
    method=one_of(CONFIG.steering.methods),
    name=one_of(FETCHED),
    cell=one_of(CELLS),
    vector_cell=one_of(VECTOR_CELLS),


def samples_of(splits):
    """Sample tables of these splits, in their order."""
    return [f"{RUN}/samples/{split}.parquet" for split in splits]


def labels_of(splits):
    """Label tables of these splits, in their order."""
    return [f"{RUN}/labels/{split}.parquet" for split in splits]


def tagged_of(splits):
    """Tagged answers of these splits, in their order; none where nothing is tagged."""
    return [f"{RUN}/syntax/{split}.parquet" for split in splits] if TAGGED else []


def fit_of(wildcards):
    """Splits that an experiment is fitted on."""
    return CONFIG.experiments[wildcards.experiment].fit


def ask_of(wildcards):
    """Split whose test questions an experiment asks."""
    return CONFIG.experiments[wildcards.experiment].ask


def table_of(wildcards):
    """Input table of a split: the made-up one, or the user's."""
    if CONFIG.corpus.source == "demo":
        return f"{RUN}/demo/{wildcards.split}.parquet"
    return CONFIG.corpus.paths[wildcards.split]


def model_files(wildcards):
    """Files of this machine that a model is made of: when one of them changes, its snapshot is made anew."""
    model = getattr(CONFIG.models, wildcards.name)
    if isinstance(model, GgufModel):
        return model.gguf
    if isinstance(model, LocalModel):
        found = {path for pattern in MODEL_FILES for path in Path(model.folder).glob(pattern) if path.is_file()}
        return sorted(path.as_posix() for path in found) or model.folder
    return []


def fetch_json(wildcards):
    """Where one model comes from; another dtype, or another hub for what is on none, fetches nothing anew."""
    model = getattr(CONFIG.models, wildcards.name)
    return json_of("models", only={wildcards.name, "hub"} if isinstance(model, HubModel) else {wildcards.name})


def fit_samples(wildcards):
    """Samples of the splits that the experiment is fitted on."""
    return samples_of(fit_of(wildcards))


def fit_labels(wildcards):
    """Style vectors of the splits that the experiment is fitted on."""
    return labels_of(fit_of(wildcards))


def fit_tagged(wildcards):
    """Tagged answers of the splits that the experiment is fitted on."""
    return tagged_of(fit_of(wildcards))


def ask_samples(wildcards):
    """Samples of the split whose questions are asked."""
    return f"{RUN}/samples/{ask_of(wildcards)}.parquet"


def fit_splits(wildcards):
    """The same splits, as a flag."""
    return ",".join(fit_of(wildcards))


def all_of(pattern):
    """One file per experiment."""
    return expand(f"{RUN}/{pattern}", experiment=CONFIG.experiments)


# Figures of what labels, with the threshold of its scores; and the curves from measures to attributes.
FIGURES = f"{RUN}/attributes/calibration.json" if MEASURED else f"{RUN}/sfam/metrics.json"
CALIBRATION = f"{RUN}/attributes/calibration.parquet"


def chains():
    """Tables along the chain, where the describer measures."""
    return all_of("embedding/{experiment}/chain.parquet") if CONFIG.description.describer == "stylometry" else []


def embedding_tables():
    """What is measured of the embedding: accuracies, where they are lost, with topic held still, and how firm it is."""
    names = ("embedding/{experiment}/accuracy", "embedding/{experiment}/topic", "groups/{experiment}.stability")
    return [*chains(), *(table for name in names for table in all_of(f"{name}.parquet"))]


def comparison_tables():
    """The comparison of each experiment, and what each judge says."""
    return [table for kind in ("", ".judges") for table in all_of(f"comparison/{{experiment}}{kind}.parquet")]


def vector_pages():
    """What the study of attribute vectors writes of each experiment."""
    return all_of("study/vectors/{experiment}.md")


def study_pages():
    """What the embedding study writes of each experiment."""
    return [page for kind in ("md", "html") for page in all_of(f"study/embedding/{{experiment}}.{kind}")]


def labeler(scorer):
    """What a labeler reads: the folder of SFAM or of its student, or the calibration of the measures."""
    return {"distilled": f"{RUN}/sfam/student", "measured": CALIBRATION}.get(scorer, f"{RUN}/sfam/teacher")


# Keys of the section labeling that say how a model scores.
SCORING = {"max_tokens", "tokens_per_batch", "precision", "compiled"}


def labeling_json(scorer, only):
    """These keys of the section labeling, with a scorer of the rule's own."""
    return json.dumps({**section(CONFIG, "labeling", only=only), "scorer": scorer}, sort_keys=True)


def labeler_of(wildcards):
    """Who labels: the configured scorer; what the student learns from is scored by SFAM itself."""
    return labeler(CONFIG.labeling.scorer if wildcards.texts != "distillation" else "cross_encoder")


def labeling_of(wildcards):
    """Settings of that labeler."""
    scorer = "cross_encoder" if wildcards.texts == "distillation" else CONFIG.labeling.scorer
    return labeling_json(scorer, {"buckets"} | (set() if scorer == "measured" else SCORING))


def fidelity_of(wildcards):
    """A student labels only after its fidelity was found to be enough; a new minimum relabels nothing."""
    by_student = CONFIG.labeling.scorer == "distilled" and wildcards.texts != "distillation"
    return ancient(f"{RUN}/sfam/fidelity.parquet") if by_student else []


def texts_of(wildcards):
    """What is labeled: the samples of a split, the generations of an experiment, human answers as short as these, or what
    the student learns from."""
    if wildcards.texts == "distillation":
        return f"{RUN}/sfam/distillation.parquet"
    if wildcards.texts.startswith("humans-"):
        return f"{RUN}/judges/{wildcards.texts.removeprefix('humans-')}.humans.parquet"
    if wildcards.texts.startswith("generations-"):
        return f"{RUN}/generations/{wildcards.texts.removeprefix('generations-')}.parquet"
    return f"{RUN}/samples/{wildcards.texts}.parquet"


def id_column_of(wildcards):
    """Column with the id of what is labeled."""
    return "request_id" if wildcards.texts.startswith("generations-") else "answer_id"


def text_column_of(wildcards):
    """Column with its text."""
    return "text" if wildcards.texts.startswith("generations-") else "answer"


def catalogue_so_far(wildcards):
    """The catalogue where a run has made it: looked at, but no input, so that an estimate never describes answers."""
    path = Path(f"{RUN}/attributes/catalogue.parquet")
    return [path.as_posix()] if path.is_file() else []
