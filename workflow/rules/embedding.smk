# Style vectors -> triplet embedding -> group profiles and accuracies, per experiment.


def fit_samples(wildcards):
    """Samples of the splits that the experiment is fitted on."""
    return samples_of(fit_of(wildcards))


def fit_labels(wildcards):
    """Style vectors of the splits that the experiment is fitted on."""
    return labels_of(fit_of(wildcards))


def ask_samples(wildcards):
    """Samples of the split whose questions are asked."""
    return f"{RUN}/samples/{ask_of(wildcards)}.parquet"


def fit_splits(wildcards):
    """The same splits, as a flag."""
    return ",".join(fit_of(wildcards))


rule tune_embedding:
    input:
        samples=fit_samples,
        labels=fit_labels,
        ask=ask_samples,
    output:
        trials=f"{RUN}/embedding/{{experiment}}/trials.parquet",
    log:
        f"{LOGS}/tune_embedding/{{experiment}}.log",
    benchmark:
        f"{TIMES}/tune_embedding/{{experiment}}.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=8300,
        runtime=120,
    params:
        settings=json_of("embedding"),
        splits=fit_splits,
        seed=SEED,
        code=source_digest("tune_embedding"),
    shell:
        "{PYTHON} {SCRIPTS}/tune_embedding.py --samples {input.samples:q} --labels {input.labels:q} "
        "--ask {input.ask:q} --splits {params.splits} --trials {output.trials:q} --threads {threads} --seed {params.seed} "
        + REPORTING


rule train_embedding:
    input:
        samples=fit_samples,
        labels=fit_labels,
        ask=ask_samples,
        trials=f"{RUN}/embedding/{{experiment}}/trials.parquet",
    output:
        model=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        embeddings=f"{RUN}/embedding/{{experiment}}/embeddings.parquet",
    log:
        f"{LOGS}/train_embedding/{{experiment}}.log",
    benchmark:
        f"{TIMES}/train_embedding/{{experiment}}.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=8300,
        runtime=30,
    params:
        settings=json_of("embedding"),
        splits=fit_splits,
        seed=SEED,
        code=source_digest("train_embedding"),
    shell:
        "{PYTHON} {SCRIPTS}/train_embedding.py --samples {input.samples:q} --labels {input.labels:q} "
        "--ask {input.ask:q} --trials {input.trials:q} --splits {params.splits} --model {output.model:q} "
        "--embeddings {output.embeddings:q} --threads {threads} --seed {params.seed} " + REPORTING


rule profile_groups:
    input:
        samples=fit_samples,
        labels=fit_labels,
        ask=ask_samples,
        model=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        metrics=f"{RUN}/sfam/metrics.json",
    output:
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        distances=f"{RUN}/groups/{{experiment}}.distances.parquet",
    log:
        f"{LOGS}/profile_groups/{{experiment}}.log",
    benchmark:
        f"{TIMES}/profile_groups/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=8300,
        runtime=30,
    params:
        settings=json_of("profiles", "steering"),
        splits=fit_splits,
        seed=SEED,
        code=source_digest("profile_groups"),
    shell:
        "{PYTHON} {SCRIPTS}/profile_groups.py --samples {input.samples:q} --labels {input.labels:q} "
        "--ask {input.ask:q} --model {input.model:q} --catalogue {input.catalogue:q} --metrics {input.metrics:q} "
        "--splits {params.splits} --groups {output.groups:q} --distances {output.distances:q} --seed {params.seed} "
        + REPORTING


rule measure_accuracy:
    input:
        samples=fit_samples,
        labels=fit_labels,
        ask=ask_samples,
        embeddings=f"{RUN}/embedding/{{experiment}}/embeddings.parquet",
        model=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
    output:
        accuracy=f"{RUN}/embedding/{{experiment}}/accuracy.parquet",
    log:
        f"{LOGS}/measure_accuracy/{{experiment}}.log",
    benchmark:
        f"{TIMES}/measure_accuracy/{{experiment}}.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=8300,
        runtime=60,
    params:
        settings=json_of("group_parents", "profiles"),
        splits=fit_splits,
        seed=SEED,
        code=source_digest("measure_accuracy"),
    shell:
        "{PYTHON} {SCRIPTS}/measure_accuracy.py --samples {input.samples:q} --labels {input.labels:q} "
        "--ask {input.ask:q} --embeddings {input.embeddings:q} --model {input.model:q} --groups {input.groups:q} "
        "--catalogue {input.catalogue:q} --splits {params.splits} --accuracy {output.accuracy:q} --threads {threads} "
        "--seed {params.seed} " + REPORTING
