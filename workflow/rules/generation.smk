# The eight conditions and what stands below the line -> generated answers. Shards group fixed hash buckets.


rule choose_wording:
    input:
        unsteered=f"{RUN}/steering/{{experiment}}/unsteered.parquet",
        norms=f"{RUN}/steering/{{experiment}}/norms.json",
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        lm=f"{RUN}/models/lm",
        sfam=labeler(CONFIG.labeling.scorer),
        embedding=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        judges=f"{RUN}/judges/{{experiment}}.plain.joblib",
        prompts=CONFIG.generation.prompt_file,
        wordings=CONFIG.generation.wordings_file,
        document=DOCUMENT,
    output:
        wording=f"{RUN}/generations/{{experiment}}.wording.json",
    log:
        f"{LOGS}/choose_wording/{{experiment}}.log",
    benchmark:
        f"{TIMES}/choose_wording/{{experiment}}.tsv"
    conda:
        env_of("syntax" if MEASURED and TAGGED else engine_of("sweep"))
    threads: 2 * MODEL_THREADS if LARGE else 1
    resources:
        mem_mb=memory(32300),
        runtime=growing(240, most=DAY),
        gpu=gpus_of("sweep"),
    params:
        settings=json_of(
            "sweep",
            "generation",
            "labeling",
            "syntax",
            "steering",
            only={
                "sweep": {"judges"},
                "generation": ANSWERING,
                "labeling": {"scorer"} | (set() if MEASURED else SCORING),
                "syntax": {"tagger"} if MEASURED else set(),
                "steering": NAMING,
            },
        ),
        dtype=CONFIG.models.dtype,
        backend=backend_of("sweep"),
        prompt_style=PROMPT_STYLE,
        prompt_date=PROMPT_DATE,
        code=code_of("choose_wording", "sweep"),
    shell:
        command("choose_wording", env=engine_of("sweep"), gpus=needed("sweep"))


rule plan_requests:
    input:
        samples=ask_samples,
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        steering=f"{RUN}/steering/{{experiment}}.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        lm=f"{RUN}/models/lm",
        prompts=CONFIG.generation.prompt_file,
        wording=f"{RUN}/generations/{{experiment}}.wording.json",
        document=DOCUMENT,
    output:
        requests=f"{RUN}/generations/{{experiment}}.requests.parquet",
    log:
        f"{LOGS}/plan_requests/{{experiment}}.log",
    benchmark:
        f"{TIMES}/plan_requests/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of(
            "generation",
            "steering",
            "adapters",
            only={
                "adapters": {"enabled"},
                "generation": {
                    "samples",
                    "questions_per_group",
                    "targets",
                    "examples",
                    "example_chars",
                    "max_new_tokens",
                    "max_question_chars",
                },
            },
        ),
        prompt_style=PROMPT_STYLE,
        prompt_date=PROMPT_DATE,
        seed=SEED,
        code=source_digest("plan_requests"),
    shell:
        command("plan_requests")


rule generate_answers:
    input:
        requests=f"{RUN}/generations/{{experiment}}.requests.parquet",
        steering=f"{RUN}/steering/{{experiment}}.parquet",
        choice=f"{RUN}/steering/{{experiment}}.choice.json",
        lm=f"{RUN}/models/lm",
        document=DOCUMENT,
    output:
        generations=f"{RUN}/generations/{{experiment}}/{{scatteritem}}.parquet",
    log:
        f"{LOGS}/generate_answers/{{experiment}}/{{scatteritem}}.log",
    benchmark:
        f"{TIMES}/generate_answers/{{experiment}}/{{scatteritem}}.tsv"
    conda:
        env_of(engine_of("generation"))
    threads: MODEL_THREADS
    resources:
        mem_mb=memory(32300),
        runtime=growing(720, most=DAY),
        gpu=gpus_of("generation"),
    params:
        settings=json_of("generation", only={"max_new_tokens", "temperature", "top_p", "batch_tokens", "buckets"}),
        dtype=CONFIG.models.dtype,
        backend=backend_of("generation"),
        prompt_style=PROMPT_STYLE,
        cache=lambda wildcards: f"{RUN}/cache/generations/{wildcards.experiment}",
        code=code_of("generate_answers", "generation"),
    shell:
        command(
            "generate_answers", env=engine_of("generation"), gpus=needed("generation"), shard="{wildcards.scatteritem}"
        )


if CONFIG.adapters.enabled:

    rule answer_adapted:
        input:
            requests=f"{RUN}/generations/{{experiment}}.requests.parquet",
            samples=ask_samples,
            lm=f"{RUN}/models/lm",
            prompts=CONFIG.generation.prompt_file,
            document=DOCUMENT,
        output:
            generations=f"{RUN}/generations/{{experiment}}/adapted.parquet",
        log:
            f"{LOGS}/answer_adapted/{{experiment}}.log",
        benchmark:
            f"{TIMES}/answer_adapted/{{experiment}}.tsv"
        conda:
            env_of("core")
        threads: MODEL_THREADS
        resources:
            mem_mb=memory(64300),
            runtime=growing(480, most=DAY),
            gpu=1,
        params:
            settings=json_of("adapters", "generation", only={"generation": ANSWERING}),
            dtype=CONFIG.models.dtype,
            prompt_style=PROMPT_STYLE,
            prompt_date=PROMPT_DATE,
            cache=lambda wildcards: f"{RUN}/cache/adapted/{wildcards.experiment}",
            seed=SEED,
            code=source_digest("answer_adapted"),
        shell:
            command("answer_adapted", gpus=GPUS)


rule gather_generations:
    input:
        shards=[
            *gather.generations(f"{RUN}/generations/{{{{experiment}}}}/{{scatteritem}}.parquet"),
            *([f"{RUN}/generations/{{experiment}}/adapted.parquet"] if CONFIG.adapters.enabled else []),
        ],
        requests=f"{RUN}/generations/{{experiment}}.requests.parquet",
    output:
        generations=f"{RUN}/generations/{{experiment}}.parquet",
    log:
        f"{LOGS}/gather_generations/{{experiment}}.log",
    benchmark:
        f"{TIMES}/gather_generations/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of("generation", only=set()),
        code=source_digest("gather_generations"),
    shell:
        command("gather_generations")


rule measure_fluency:
    input:
        generations=f"{RUN}/generations/{{experiment}}.parquet",
        lm=f"{RUN}/models/lm",
    output:
        fluency=f"{RUN}/generations/{{experiment}}.fluency.parquet",
    log:
        f"{LOGS}/measure_fluency/{{experiment}}.log",
    benchmark:
        f"{TIMES}/measure_fluency/{{experiment}}.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=memory(32300),
        runtime=growing(240, most=DAY),
        gpu=1,
    params:
        settings=json_of("generation", only={"batch_tokens"}),
        dtype=CONFIG.models.dtype,
        prompt_style=PROMPT_STYLE,
        code=source_digest("measure_fluency"),
    shell:
        command("measure_fluency", gpus=GPUS)
