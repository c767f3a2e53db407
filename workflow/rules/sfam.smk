# Pairs of answer and attribute -> SFAM, the style feature agreement model -> a student of it, one pass per answer.


rule pair_attributes:
    input:
        sentences=f"{RUN}/attributes/sentences.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        calibration=branch(CONFIG.pairs.targets == "graded", then=CALIBRATION, otherwise=[]),
        samples=branch(CONFIG.pairs.targets == "graded", then=samples_of(CONFIG.splits), otherwise=[]),
        tagged=branch(CONFIG.pairs.targets == "graded", then=tagged_of(CONFIG.splits), otherwise=[]),
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
        command("pair_attributes")


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
        mem_mb=memory(16300),
        runtime=growing(720, most=DAY),
        gpu=1,
    params:
        # another min_auroc trains nothing anew
        settings=json_of(
            "sfam",
            only={
                "n_outputs",
                "max_tokens",
                "batch_size",
                "learning_rate",
                "warmup_share",
                "weight_decay",
                "max_steps",
                "eval_steps",
                "patience",
                "precision",
            },
        ),
        seed=SEED,
        code=source_digest("train_sfam"),
    shell:
        command("train_sfam", gpus=GPUS)


rule check_sfam:
    input:
        metrics=f"{RUN}/sfam/metrics.json",
    output:
        steps=f"{RUN}/sfam/steps.parquet",
    log:
        f"{LOGS}/check_sfam.log",
    benchmark:
        f"{TIMES}/check_sfam.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of("sfam", only={"min_auroc"}),
        code=source_digest("check_sfam"),
    shell:
        command("check_sfam")


rule draw_distillation:
    input:
        samples=samples_of(CONFIG.splits),
    output:
        answers=f"{RUN}/sfam/distillation.parquet",
    log:
        f"{LOGS}/draw_distillation.log",
    benchmark:
        f"{TIMES}/draw_distillation.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of("distillation", only={"n_answers", "n_heldout"}),
        splits=",".join(CONFIG.splits),
        seed=SEED,
        code=source_digest("draw_distillation"),
    shell:
        command("draw_distillation")


rule distil_student:
    input:
        answers=f"{RUN}/sfam/distillation.parquet",
        labels=f"{RUN}/labels/distillation.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        teacher=f"{RUN}/sfam/teacher",
    output:
        student=directory(f"{RUN}/sfam/student"),
        history=f"{RUN}/sfam/distillation.json",
    log:
        f"{LOGS}/distil_student.log",
    benchmark:
        f"{TIMES}/distil_student.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=memory(16300),
        runtime=growing(480 if FETCHED else 60, most=DAY),
        gpu=1,
    params:
        settings=json_of(
            "distillation",
            "labeling",
            only={
                "distillation": {
                    "batch_size",
                    "learning_rate",
                    "weight_decay",
                    "max_epochs",
                    "patience",
                    "precision",
                },
                "labeling": {"max_tokens", "tokens_per_batch"},
            },
        ),
        seed=SEED,
        code=source_digest("distil_student"),
    shell:
        command("distil_student", gpus=GPUS)


rule measure_fidelity:
    input:
        answers=f"{RUN}/sfam/distillation.parquet",
        labels=f"{RUN}/labels/distillation.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        student=f"{RUN}/sfam/student",
    output:
        fidelity=f"{RUN}/sfam/fidelity.parquet",
        summary=f"{RUN}/sfam/fidelity.json",
    log:
        f"{LOGS}/measure_fidelity.log",
    benchmark:
        f"{TIMES}/measure_fidelity.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=memory(16300),
        runtime=growing(60, most=DAY),
        gpu=1,
    params:
        settings=json.dumps(
            {
                "distillation": section(CONFIG, "distillation", only={"min_pearson"}),
                "labeling": json.loads(labeling_json("distilled", {"tokens_per_batch", "precision", "compiled"})),
            },
            sort_keys=True,
        ),
        code=source_digest("measure_fidelity"),
    shell:
        command("measure_fidelity", gpus=GPUS)
