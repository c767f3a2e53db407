# The studies of embedding and of attribute vectors: grids of cells, each with a search of its own, and their comparison.
# Not part of a run by itself.


rule study_embedding:
    input:
        study_pages(),


rule study_vectors:
    input:
        vector_pages(),


rule fit_cell:
    input:
        samples=fit_samples,
        labels=fit_labels,
        ask=ask_samples,
        metrics=FIGURES,
        tagged=fit_tagged,
    output:
        answers=f"{RUN}/study/embedding/{{experiment}}/cells/{{cell}}.parquet",
    log:
        f"{LOGS}/fit_cell/{{experiment}}/{{cell}}.log",
    benchmark:
        f"{TIMES}/fit_cell/{{experiment}}/{{cell}}.tsv"
    conda:
        env_of("core")
    threads: MODEL_THREADS
    resources:
        mem_mb=growing(8300),
        runtime=growing(120, most=DAY),
    params:
        settings=json_of("embedding", "study", only={"study": {"n_trials", "n_seeds"}}),
        group_parents=json.dumps(CONFIG.group_parents, sort_keys=True),
        splits=fit_splits,
        cell="{cell}",
        cache=lambda wildcards: f"{RUN}/cache/study/{wildcards.experiment}/{wildcards.cell}",
        seed=SEED,
        code=source_digest("fit_cell"),
    shell:
        command("fit_cell")


rule compare_cells:
    input:
        answers=[f"{RUN}/study/embedding/{{experiment}}/cells/{cell}.parquet" for cell in CELLS],
    output:
        study=f"{RUN}/study/embedding/{{experiment}}.parquet",
        page=f"{RUN}/study/embedding/{{experiment}}.md",
    log:
        f"{LOGS}/compare_cells/{{experiment}}.log",
    benchmark:
        f"{TIMES}/compare_cells/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(30, most=DAY),
    params:
        settings=json_of("study", only={"axes", "resamples", "confidence"}),
        cells=",".join(CELLS),
        experiment="{experiment}",
        seed=SEED,
        code=source_digest("compare_cells"),
    shell:
        command("compare_cells")


rule draw_study:
    input:
        study=f"{RUN}/study/embedding/{{experiment}}.parquet",
        reference=f"{RUN}/study/embedding/{{experiment}}/cells/reference.parquet",
        embeddings=f"{RUN}/embedding/{{experiment}}/embeddings.parquet",
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        template="workflow/report/study.html.j2",
    output:
        page=f"{RUN}/study/embedding/{{experiment}}.html",
    log:
        f"{LOGS}/draw_study/{{experiment}}.log",
    benchmark:
        f"{TIMES}/draw_study/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(30, most=DAY),
    params:
        settings=json_of("study", only={"axes"}),
        experiment="{experiment}",
        seed=SEED,
        code=source_digest("draw_study"),
    shell:
        command("draw_study")


rule try_cell:
    input:
        unsteered=f"{RUN}/steering/{{experiment}}/unsteered.parquet",
        norms=f"{RUN}/steering/{{experiment}}/norms.json",
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        readings=f"{RUN}/steering/{{experiment}}.readings.parquet",
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        lm=f"{RUN}/models/lm",
        sfam=labeler(CONFIG.labeling.scorer),
        embedding=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        judges=f"{RUN}/judges/{{experiment}}.plain.joblib",
        document=DOCUMENT,
    output:
        tries=f"{RUN}/study/vectors/{{experiment}}/cells/{{vector_cell}}.parquet",
    log:
        f"{LOGS}/try_cell/{{experiment}}/{{vector_cell}}.log",
    benchmark:
        f"{TIMES}/try_cell/{{experiment}}/{{vector_cell}}.tsv"
    conda:
        env_of("syntax" if MEASURED and TAGGED else engine_of("sweep"))
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
            "activations",
            "steering",
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
        cell="{vector_cell}",
        cache=lambda wildcards: f"{RUN}/cache/study/vectors/{wildcards.experiment}/{wildcards.vector_cell}",
        seed=SEED,
        code=code_of("try_cell", "sweep"),
    shell:
        command("try_cell", env=engine_of("sweep"), gpus=needed("sweep"))


rule compare_vectors:
    input:
        tries=[
            f"{RUN}/study/vectors/{{experiment}}/cells/{cell}.parquet" for cell in dict.fromkeys(VECTOR_CELLS.values())
        ],
    output:
        study=f"{RUN}/study/vectors/{{experiment}}.parquet",
        page=f"{RUN}/study/vectors/{{experiment}}.md",
    log:
        f"{LOGS}/compare_vectors/{{experiment}}.log",
    benchmark:
        f"{TIMES}/compare_vectors/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(30, most=DAY),
    params:
        settings=json_of("study", only={"resamples", "confidence"}),
        cells=",".join(dict.fromkeys(VECTOR_CELLS.values())),
        same=",".join(cell for cell, run in VECTOR_CELLS.items() if run != cell),
        experiment="{experiment}",
        seed=SEED,
        code=source_digest("compare_vectors"),
    shell:
        command("compare_vectors")
