# The embedding study: a grid of cells, each with a search of its own, and their comparison. Not part of a run by itself.


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
