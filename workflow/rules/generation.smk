# The eight conditions and their controls -> generated answers. Shards group fixed hash buckets.


rule plan_requests:
    input:
        samples=ask_samples,
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        lm=f"{RUN}/models/lm",
        prompts=CONFIG.generation.prompt_file,
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
        settings=json_of("generation", only={"samples", "questions_per_group", "targets", "max_question_chars"}),
        prompt_style=PROMPT_STYLE,
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


rule gather_generations:
    input:
        shards=gather.generations(f"{RUN}/generations/{{{{experiment}}}}/{{scatteritem}}.parquet"),
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
