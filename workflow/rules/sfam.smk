# Pairs of answer and attribute -> SFAM, the style feature agreement model.


rule pair_attributes:
    input:
        sentences=f"{RUN}/attributes/sentences.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
    output:
        pairs=f"{RUN}/sfam/pairs.parquet",
    log:
        f"{LOGS}/pair_attributes.log",
    benchmark:
        f"{TIMES}/pair_attributes.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of("pairs"),
        seed=SEED,
        code=source_digest("pair_attributes"),
    shell:
        command(
            "pair_attributes",
            "--sentences {input.sentences:q} --catalogue {input.catalogue:q} --pairs {output.pairs:q} "
            "--seed {params.seed}",
        )


rule train_sfam:
    input:
        pairs=f"{RUN}/sfam/pairs.parquet",
        samples=samples_of(CONFIG.splits),
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        base=f"{RUN}/models/sfam",
    output:
        model=directory(f"{RUN}/sfam/teacher"),
        metrics=f"{RUN}/sfam/metrics.json",
    log:
        f"{LOGS}/train_sfam.log",
    benchmark:
        f"{TIMES}/train_sfam.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=growing(16300 if HUB_MODELS else 4300),
        runtime=growing(720, most=DAY),
        gpu=1,
    params:
        settings=json_of("sfam"),
        seed=SEED,
        code=source_digest("train_sfam"),
    shell:
        command(
            "train_sfam",
            "--pairs {input.pairs:q} --samples {input.samples:q} --catalogue {input.catalogue:q} "
            "--base {input.base:q} --model {output.model:q} --metrics {output.metrics:q} --threads {threads} "
            "--seed {params.seed}",
            gpus=GPUS,
        )
