# Attribute sentences -> activations per layer -> group vectors -> strength and layers, chosen on val.


rule extract_activations:
    input:
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        model=f"{RUN}/models/lm",
        document=DOCUMENT,
    output:
        vectors=f"{RUN}/steering/attributes.parquet",
    log:
        f"{LOGS}/extract_activations.log",
    benchmark:
        f"{TIMES}/extract_activations.tsv"
    conda:
        env_of(engine_of("activations"))
    threads: MODEL_THREADS
    resources:
        mem_mb=memory(24300),
        runtime=growing(120, most=DAY),
        gpu=gpus_of("activations"),
    params:
        settings=json_of("activations"),
        dtype=CONFIG.models.dtype,
        backend=backend_of("activations"),
        prompt_style=PROMPT_STYLE,
        seed=SEED,
        code=code_of("extract_activations", "activations"),
    shell:
        command("extract_activations", env=engine_of("activations"), gpus=needed("activations"))


rule build_steering:
    input:
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        vectors=f"{RUN}/steering/attributes.parquet",
    output:
        steering=f"{RUN}/steering/{{experiment}}.parquet",
        weights=f"{RUN}/steering/{{experiment}}.weights.json",
    log:
        f"{LOGS}/build_steering/{{experiment}}.log",
    benchmark:
        f"{TIMES}/build_steering/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(8300),
        runtime=growing(30, most=DAY),
    params:
        settings=json_of("steering"),
        seed=SEED,
        code=source_digest("build_steering"),
    shell:
        command("build_steering")


rule choose_strength:
    input:
        samples=ask_samples,
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        steering=f"{RUN}/steering/{{experiment}}.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        lm=f"{RUN}/models/lm",
        sfam=labeler(CONFIG.labeling.scorer),
        embedding=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        prompts=CONFIG.generation.prompt_file,
        document=DOCUMENT,
    output:
        sweep=f"{RUN}/steering/{{experiment}}.sweep.parquet",
        choice=f"{RUN}/steering/{{experiment}}.choice.json",
    log:
        f"{LOGS}/choose_strength/{{experiment}}.log",
    benchmark:
        f"{TIMES}/choose_strength/{{experiment}}.tsv"
    conda:
        env_of("syntax" if MEASURED and TAGGED else engine_of("sweep"))
    # the sweeps of small models go side by side
    threads: 2 * MODEL_THREADS if LARGE else max(1, 2 // len(CONFIG.experiments))
    resources:
        mem_mb=memory(32300),
        runtime=growing(480, most=DAY),
        gpu=gpus_of("sweep"),
    params:
        settings=json_of(
            "sweep",
            "generation",
            "labeling",
            "steering",
            "syntax",
            only={
                "generation": {"max_new_tokens", "temperature", "top_p", "batch_tokens", "max_question_chars"},
                "labeling": {"scorer"} | (set() if MEASURED else SCORING),
                "steering": {"methods"},
                "syntax": {"tagger"} if MEASURED else set(),
            },
        ),
        dtype=CONFIG.models.dtype,
        backend=backend_of("sweep"),
        prompt_style=PROMPT_STYLE,
        seed=SEED,
        code=code_of("choose_strength", "sweep"),
    shell:
        command("choose_strength", env=engine_of("sweep"), gpus=needed("sweep"))
