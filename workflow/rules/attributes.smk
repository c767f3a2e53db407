# Samples -> sentences about their style -> catalogue of style attributes -> its calibration, where they are measured.


rule describe_style:
    input:
        samples=samples_of(CONFIG.splits),
        groups=ancient(LEFT_OUT),
        model=branch(CONFIG.description.describer == "llm", then=f"{RUN}/models/lm", otherwise=[]),
        prompts=branch(CONFIG.description.describer == "llm", then=CONFIG.description.prompt_file, otherwise=[]),
        document=branch(CONFIG.description.describer == "llm", then=DOCUMENT, otherwise=[]),
        tagged=branch(CONFIG.description.describer == "stylometry", then=tagged_of(CONFIG.splits), otherwise=[]),
    output:
        sentences=f"{RUN}/attributes/sentences.parquet",
    log:
        f"{LOGS}/describe_style.log",
    benchmark:
        f"{TIMES}/describe_style.tsv"
    conda:
        env_of(engine_of("description"))
    threads: MODEL_THREADS
    resources:
        mem_mb=memory(16300),
        runtime=growing(720 if FETCHED else 60, most=DAY),
        gpu=gpus_of("description") if CONFIG.description.describer == "llm" else 0,
    params:
        settings=json_of("description"),
        splits=",".join(CONFIG.splits),
        dtype=CONFIG.models.dtype,
        backend=backend_of("description"),
        prompt_style=PROMPT_STYLE if CONFIG.description.describer == "llm" else "auto",
        prompt_date=PROMPT_DATE if CONFIG.description.describer == "llm" else "none",
        cache=f"{RUN}/cache/describe_style",
        seed=SEED,
        code=code_of("describe_style", "description"),
    shell:
        command(
            "describe_style",
            env=engine_of("description"),
            gpus=needed("description") if CONFIG.description.describer == "llm" else 0,
        )


rule build_catalogue:
    input:
        sentences=f"{RUN}/attributes/sentences.parquet",
    output:
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        funnel=f"{RUN}/attributes/funnel.parquet",
    log:
        f"{LOGS}/build_catalogue.log",
    benchmark:
        f"{TIMES}/build_catalogue.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(30, most=DAY),
    params:
        settings=json_of("catalogue"),
        code=source_digest("build_catalogue"),
    shell:
        command("build_catalogue")


rule calibrate_measures:
    input:
        samples=samples_of(CONFIG.splits),
        sentences=f"{RUN}/attributes/sentences.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        tagged=tagged_of(CONFIG.splits),
    output:
        calibration=f"{RUN}/attributes/calibration.parquet",
        metrics=f"{RUN}/attributes/calibration.json",
    log:
        f"{LOGS}/calibrate_measures.log",
    benchmark:
        f"{TIMES}/calibrate_measures.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(60, most=DAY),
    params:
        settings=json_of("description", only={"quantile"}),
        code=source_digest("calibrate_measures"),
    shell:
        command("calibrate_measures")
