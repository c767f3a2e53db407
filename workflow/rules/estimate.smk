# What the run will take: a probe of the machine, and the units that the config implies. Not part of `rule all`.


rule probe_rates:
    input:
        samples=samples_of(CONFIG.splits),
        sfam=branch("sfam" in FETCHED, then=f"{RUN}/models/sfam", otherwise=[]),
        lm=branch("lm" in FETCHED, then=f"{RUN}/models/lm", otherwise=[]),
        prompts=CONFIG.generation.prompt_file,
        document=DOCUMENT,
        describing=branch(DESCRIBING == "model", then=CONFIG.description.prompt_file, otherwise=[]),
    output:
        rates=f"{RUN}/estimate/rates.parquet",
    log:
        f"{LOGS}/probe_rates.log",
    benchmark:
        f"{TIMES}/probe_rates.tsv"
    conda:
        env_of("syntax" if TAGGED and engine_of(probed_stage()) == "core" else engine_of(probed_stage()))
    threads: MODEL_THREADS
    resources:
        mem_mb=memory(32300),
        runtime=growing(30, most=DAY),
        gpu=gpus_of(probed_stage()),
    params:
        settings=json_of(
            "estimate",
            "description",
            "syntax",
            "catalogue",
            "sfam",
            "labeling",
            "distillation",
            "scratch",
            "activations",
            "generation",
            only={
                "estimate": {"seconds"},
                "description": {
                    "describer",
                    "backend",
                    "guided",
                    "quantile",
                    "batch_tokens",
                    "max_new_tokens",
                    "max_prompt_chars",
                },
                "syntax": {"tagger"},
                "catalogue": {"max_attributes"},
                "sfam": {"n_outputs", "max_tokens", "batch_size", "precision"},
                "labeling": {"scorer", "precision", "compiled", "max_tokens", "tokens_per_batch"},
                "distillation": {"batch_size", "precision"},
                "generation": {
                    "backend",
                    "max_new_tokens",
                    "temperature",
                    "top_p",
                    "batch_tokens",
                    "max_question_chars",
                },
            },
        ),
        dtype=CONFIG.models.dtype,
        backend=backend_of(probed_stage()),
        prompt_style=PROMPT_STYLE,
        prompt_date=PROMPT_DATE,
        seed=SEED,
        code=code_of("probe_rates", probed_stage()),
    shell:
        command("probe_rates", env=engine_of(probed_stage()), gpus=needed(probed_stage()))


rule estimate_cost:
    input:
        samples=samples_of(CONFIG.splits),
        groups=ancient(LEFT_OUT),
        rates=f"{RUN}/estimate/rates.parquet",
        describing=branch(DESCRIBING == "itself", then=[], otherwise=CONFIG.description.prompt_file),
    output:
        estimate=f"{RUN}/estimate/estimate.parquet",
    log:
        f"{LOGS}/estimate_cost.log",
    benchmark:
        f"{TIMES}/estimate_cost.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(8300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of(
            "estimate",
            "experiments",
            "description",
            "syntax",
            "catalogue",
            "sfam",
            "labeling",
            "distillation",
            "models",
            "scratch",
            "readings",
            "adapters",
            "steering",
            "sweep",
            "generation",
            only={
                "estimate": {"budget_hours"},
                "description": {"describer", "n_answers", "n_heldout"},
                "syntax": {"tagger"},
                "catalogue": {"max_attributes"},
                "sfam": {"max_steps", "eval_steps"},
                "labeling": {"scorer", "shards"},
                "distillation": {"n_answers", "n_heldout", "max_epochs"},
                "models": {"sfam", "lm"},
                "scratch": {"lm"},
                "readings": {"answers_per_group"},
                "adapters": {"enabled"},
                "steering": {"methods"},
                "sweep": {
                    "alphas",
                    "depths",
                    "band",
                    "positions",
                    "halvings",
                    "questions_per_group",
                    "max_topic_loss",
                },
                "generation": {"samples", "questions_per_group", "targets", "max_new_tokens", "shards"},
            },
        ),
        splits=",".join(CONFIG.splits),
        catalogue=catalogue_so_far,
        # another catalogue is another estimate
        catalogue_digest=lambda wildcards: [digests.file_digest(Path(path)) for path in catalogue_so_far(wildcards)],
        code=source_digest("estimate_cost"),
    shell:
        command("estimate_cost", catalogue="{params.catalogue:q}")
