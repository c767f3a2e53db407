# Samples -> sentences about their style -> catalogue of style attributes -> its calibration, where they are measured.


rule describe_style:
    input:
        samples=samples_of(CONFIG.splits),
        groups=ancient(LEFT_OUT),
        model=branch(DESCRIBING == "model", then=f"{RUN}/models/lm", otherwise=[]),
        prompts=branch(DESCRIBING == "itself", then=[], otherwise=CONFIG.description.prompt_file),
        document=branch(DESCRIBING == "model", then=DOCUMENT, otherwise=[]),
        tagged=branch(DESCRIBING == "itself", then=tagged_of(CONFIG.splits), otherwise=[]),
    output:
        sentences=f"{RUN}/attributes/sentences.parquet",
    log:
        f"{LOGS}/describe_style.log",
    benchmark:
        f"{TIMES}/describe_style.tsv"
    # compute nodes often have no network; and an address such as localhost means where Snakemake runs
    localrule: DESCRIBING == "server"
    conda:
        env_of(engine_of("description"))
    threads: 1 if DESCRIBING == "server" else MODEL_THREADS
    resources:
        mem_mb=growing(4300) if DESCRIBING == "server" else memory(16300),
        runtime=growing(720 if FETCHED else 60, most=DAY),
        gpu=gpus_of("description") if DESCRIBING == "model" else 0,
    params:
        settings=json_of("description", only=DESCRIBING_KEYS),
        splits=",".join(CONFIG.splits),
        dtype="none" if DESCRIBING == "server" else CONFIG.models.dtype,
        backend=backend_of("description"),
        prompt_style=PROMPT_STYLE if DESCRIBING == "model" else "auto",
        prompt_date=PROMPT_DATE if DESCRIBING == "model" else "none",
        cache=f"{RUN}/cache/describe_style",
        seed=SEED,
        code=code_of("describe_style", "description"),
    shell:
        command(
            "describe_style",
            env=engine_of("description"),
            gpus=needed("description") if DESCRIBING == "model" else 0,
            server='"$SERVER"' if DESCRIBING == "server" else "none",
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
