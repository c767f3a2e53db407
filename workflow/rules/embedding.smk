# Style vectors -> triplet embedding -> group profiles and accuracies, per experiment.


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
        mem_mb=growing(8300),
        runtime=growing(120, most=DAY),
    params:
        settings=json_of("embedding"),
        splits=fit_splits,
        seed=SEED,
        code=source_digest("tune_embedding"),
    shell:
        command("tune_embedding")


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
        mem_mb=growing(8300),
        runtime=growing(30, most=DAY),
    params:
        settings=json_of("embedding"),
        splits=fit_splits,
        seed=SEED,
        code=source_digest("train_embedding"),
    shell:
        command("train_embedding")


rule profile_groups:
    input:
        samples=fit_samples,
        labels=fit_labels,
        ask=ask_samples,
        model=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        metrics=FIGURES,
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
        mem_mb=growing(8300),
        runtime=growing(30, most=DAY),
    params:
        settings=json_of("profiles"),
        splits=fit_splits,
        seed=SEED,
        code=source_digest("profile_groups"),
    shell:
        command("profile_groups")


rule measure_accuracy:
    input:
        samples=fit_samples,
        labels=fit_labels,
        ask=ask_samples,
        embeddings=f"{RUN}/embedding/{{experiment}}/embeddings.parquet",
        model=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        metrics=FIGURES,
        tagged=fit_tagged,
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
        mem_mb=growing(8300),
        runtime=growing(60, most=DAY),
    params:
        settings=json_of("profiles", only={"statistic", "center"}),
        group_parents=json.dumps(CONFIG.group_parents, sort_keys=True),
        splits=fit_splits,
        seed=SEED,
        code=source_digest("measure_accuracy"),
    shell:
        command("measure_accuracy")


rule measure_chain:
    input:
        samples=fit_samples,
        labels=fit_labels,
        ask=ask_samples,
        embeddings=f"{RUN}/embedding/{{experiment}}/embeddings.parquet",
        model=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        calibration=CALIBRATION,
        tagged=fit_tagged,
        teacher=branch(CONFIG.labeling.scorer == "distilled", then=f"{RUN}/labels/distillation.parquet", otherwise=[]),
    output:
        chain=f"{RUN}/embedding/{{experiment}}/chain.parquet",
    log:
        f"{LOGS}/measure_chain/{{experiment}}.log",
    benchmark:
        f"{TIMES}/measure_chain/{{experiment}}.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=growing(8300),
        runtime=growing(60, most=DAY),
    params:
        settings=json_of("evaluation", only={"resamples", "confidence"}),
        scorer=CONFIG.labeling.scorer,
        splits=fit_splits,
        seed=SEED,
        code=source_digest("measure_chain"),
    shell:
        command("measure_chain")


rule measure_topic:
    input:
        samples=fit_samples,
        labels=fit_labels,
        ask=ask_samples,
        trials=f"{RUN}/embedding/{{experiment}}/trials.parquet",
        metrics=FIGURES,
        tagged=fit_tagged,
    output:
        topic=f"{RUN}/embedding/{{experiment}}/topic.parquet",
    log:
        f"{LOGS}/measure_topic/{{experiment}}.log",
    benchmark:
        f"{TIMES}/measure_topic/{{experiment}}.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=growing(8300),
        runtime=growing(120, most=DAY),
    params:
        settings=json_of("topic", "embedding", "profiles", only={"profiles": {"statistic", "center"}}),
        splits=fit_splits,
        seed=SEED,
        code=source_digest("measure_topic"),
    shell:
        command("measure_topic")


rule measure_stability:
    input:
        samples=fit_samples,
        labels=fit_labels,
        ask=ask_samples,
        model=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        metrics=FIGURES,
    output:
        stability=f"{RUN}/groups/{{experiment}}.stability.parquet",
    log:
        f"{LOGS}/measure_stability/{{experiment}}.log",
    benchmark:
        f"{TIMES}/measure_stability/{{experiment}}.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=growing(8300),
        runtime=growing(60, most=DAY),
    params:
        settings=json_of("stability"),
        splits=fit_splits,
        seed=SEED,
        code=source_digest("measure_stability"),
    shell:
        command("measure_stability")
