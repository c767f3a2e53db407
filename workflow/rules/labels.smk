# Style vectors of answers and of generations, by SFAM, its student or measures. Shards group fixed hash buckets.


rule label_answers:
    input:
        answers=texts_of,
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        model=labeler_of,
        fidelity=fidelity_of,
        tagged=branch(MEASURED and TAGGED, then=f"{RUN}/syntax/{{texts}}.parquet", otherwise=[]),
        checked=branch(MEASURED, then=[], otherwise=ancient(f"{RUN}/sfam/steps.parquet")),
        groups=ancient(LEFT_OUT),
    output:
        labels=f"{RUN}/labels/{{texts}}/{{scatteritem}}.parquet",
    log:
        f"{LOGS}/label_answers/{{texts}}/{{scatteritem}}.log",
    benchmark:
        f"{TIMES}/label_answers/{{texts}}/{{scatteritem}}.tsv"
    conda:
        env_of("core")
    threads: 1 if MEASURED else MODEL_THREADS
    resources:
        mem_mb=growing(4300) if MEASURED else memory(16300),
        runtime=growing(1440 if FETCHED and not MEASURED else 120, most=DAY),
        gpu=0 if MEASURED else 1,
    params:
        settings=labeling_of,
        id_column=id_column_of,
        text_column=text_column_of,
        cache=lambda wildcards: f"{RUN}/cache/labels/{wildcards.texts}",
        code=source_digest("label_answers"),
    shell:
        command("label_answers", gpus=GPUS if not MEASURED else 0, shard="{wildcards.scatteritem}")


rule gather_labels:
    input:
        shards=gather.labels(f"{RUN}/labels/{{{{texts}}}}/{{scatteritem}}.parquet"),
        answers=texts_of,
        catalogue=f"{RUN}/attributes/catalogue.parquet",
    output:
        labels=f"{RUN}/labels/{{texts}}.parquet",
    log:
        f"{LOGS}/gather_labels/{{texts}}.log",
    benchmark:
        f"{TIMES}/gather_labels/{{texts}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(8300),
        runtime=growing(30, most=DAY),
    params:
        settings=json_of("labeling", only=set()),
        id_column=id_column_of,
        code=source_digest("gather_labels"),
    shell:
        command("gather_labels")
