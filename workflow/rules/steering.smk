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
        prompt_date=PROMPT_DATE,
        seed=SEED,
        code=code_of("extract_activations", "activations"),
    shell:
        command("extract_activations", env=engine_of("activations"), gpus=needed("activations"))


rule read_answers:
    input:
        samples=fit_samples,
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        lm=f"{RUN}/models/lm",
        prompts=CONFIG.generation.prompt_file,
        document=DOCUMENT,
    output:
        readings=f"{RUN}/steering/{{experiment}}.readings.parquet",
    log:
        f"{LOGS}/read_answers/{{experiment}}.log",
    benchmark:
        f"{TIMES}/read_answers/{{experiment}}.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=memory(32300),
        runtime=growing(240, most=DAY),
        gpu=1,
    params:
        settings=json_of(
            "readings",
            "steering",
            "generation",
            only={"generation": {"max_question_chars", "temperature", "top_p"}},
        ),
        dtype=CONFIG.models.dtype,
        prompt_style=PROMPT_STYLE,
        prompt_date=PROMPT_DATE,
        seed=SEED,
        code=source_digest("read_answers"),
    shell:
        command("read_answers", gpus=GPUS)


rule build_steering:
    input:
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        vectors=f"{RUN}/steering/attributes.parquet",
        readings=f"{RUN}/steering/{{experiment}}.readings.parquet",
    output:
        steering=f"{RUN}/steering/{{experiment}}.parquet",
        weights=f"{RUN}/steering/{{experiment}}.weights.json",
        forecast=f"{RUN}/steering/{{experiment}}.forecast.parquet",
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


rule answer_unsteered:
    input:
        samples=ask_samples,
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        lm=f"{RUN}/models/lm",
        prompts=CONFIG.generation.prompt_file,
        document=DOCUMENT,
    output:
        unsteered=f"{RUN}/steering/{{experiment}}/unsteered.parquet",
        norms=f"{RUN}/steering/{{experiment}}/norms.json",
    log:
        f"{LOGS}/answer_unsteered/{{experiment}}.log",
    benchmark:
        f"{TIMES}/answer_unsteered/{{experiment}}.tsv"
    conda:
        env_of(engine_of("sweep"))
    threads: MODEL_THREADS
    resources:
        mem_mb=memory(32300),
        runtime=growing(120, most=DAY),
        gpu=gpus_of("sweep"),
    params:
        settings=json_of("sweep", "generation", only={"sweep": {"questions_per_group"}, "generation": ANSWERING}),
        dtype=CONFIG.models.dtype,
        backend=backend_of("sweep"),
        prompt_style=PROMPT_STYLE,
        prompt_date=PROMPT_DATE,
        seed=SEED,
        code=code_of("answer_unsteered", "sweep"),
    shell:
        command("answer_unsteered", env=engine_of("sweep"), gpus=needed("sweep"))


rule try_method:
    input:
        unsteered=f"{RUN}/steering/{{experiment}}/unsteered.parquet",
        norms=f"{RUN}/steering/{{experiment}}/norms.json",
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        steering=f"{RUN}/steering/{{experiment}}.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        lm=f"{RUN}/models/lm",
        sfam=labeler(CONFIG.labeling.scorer),
        embedding=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        judges=f"{RUN}/judges/{{experiment}}.plain.joblib",
        document=DOCUMENT,
    output:
        tried=f"{RUN}/steering/{{experiment}}/tried/{{method}}.parquet",
    log:
        f"{LOGS}/try_method/{{experiment}}/{{method}}.log",
    benchmark:
        f"{TIMES}/try_method/{{experiment}}/{{method}}.tsv"
    conda:
        env_of("syntax" if MEASURED and TAGGED else engine_of("sweep"))
    # the sweeps of small models go side by side
    threads: 2 * MODEL_THREADS if LARGE else 1
    resources:
        mem_mb=memory(32300),
        runtime=growing(480, most=DAY),
        gpu=gpus_of("sweep"),
    params:
        settings=json_of(
            "sweep",
            "generation",
            "labeling",
            "syntax",
            only={
                "generation": ANSWERING,
                "labeling": {"scorer"} | (set() if MEASURED else SCORING),
                "syntax": {"tagger"} if MEASURED else set(),
            },
        ),
        dtype=CONFIG.models.dtype,
        backend=backend_of("sweep"),
        prompt_style=PROMPT_STYLE,
        prompt_date=PROMPT_DATE,
        method="{method}",
        cache=lambda wildcards: f"{RUN}/cache/sweep/{wildcards.experiment}/{wildcards.method}",
        code=code_of("try_method", "sweep"),
    shell:
        command("try_method", env=engine_of("sweep"), gpus=needed("sweep"))


rule choose_strength:
    input:
        tried=[f"{RUN}/steering/{{experiment}}/tried/{method}.parquet" for method in CONFIG.steering.methods],
        norms=f"{RUN}/steering/{{experiment}}/norms.json",
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        steering=f"{RUN}/steering/{{experiment}}.parquet",
        forecast=f"{RUN}/steering/{{experiment}}.forecast.parquet",
    output:
        sweep=f"{RUN}/steering/{{experiment}}.sweep.parquet",
        choice=f"{RUN}/steering/{{experiment}}.choice.json",
    log:
        f"{LOGS}/choose_strength/{{experiment}}.log",
    benchmark:
        f"{TIMES}/choose_strength/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of("sweep", only=set()),
        code=source_digest("choose_strength"),
    shell:
        command("choose_strength")
