# Generations -> scores -> the comparison table and the report.


rule score_generations:
    input:
        generations=f"{RUN}/generations/{{experiment}}.parquet",
        labels=f"{RUN}/labels/generations-{{experiment}}.parquet",
        fluency=f"{RUN}/generations/{{experiment}}.fluency.parquet",
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        model=f"{RUN}/embedding/{{experiment}}/model.safetensors",
        samples=fit_samples,
        ask=ask_samples,
        ask_labels=lambda wildcards: f"{RUN}/labels/{ask_of(wildcards)}.parquet",
    output:
        scores=f"{RUN}/scores/{{experiment}}.parquet",
        nearest=f"{RUN}/scores/{{experiment}}.nearest.parquet",
    log:
        f"{LOGS}/score_generations/{{experiment}}.log",
    benchmark:
        f"{TIMES}/score_generations/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(8300),
        runtime=growing(60, most=DAY),
    params:
        settings=json_of("evaluation", only={"tie_tolerance"}),
        splits=fit_splits,
        seed=SEED,
        code=source_digest("score_generations"),
    shell:
        command(
            "score_generations",
            "--generations {input.generations:q} --labels {input.labels:q} --fluency {input.fluency:q} "
            "--groups {input.groups:q} --model {input.model:q} --samples {input.samples:q} "
            "--ask {input.ask:q} --ask-labels {input.ask_labels:q} --splits {params.splits} "
            "--scores {output.scores:q} --nearest {output.nearest:q} --seed {params.seed}",
        )


rule compare_conditions:
    input:
        scores=f"{RUN}/scores/{{experiment}}.parquet",
    output:
        table=f"{RUN}/comparison/{{experiment}}.parquet",
        csv=f"{RUN}/comparison/{{experiment}}.csv",
        markdown=f"{RUN}/comparison/{{experiment}}.md",
        latex=f"{RUN}/comparison/{{experiment}}.tex",
        html=f"{RUN}/comparison/{{experiment}}.html",
        controls=f"{RUN}/comparison/{{experiment}}.controls.parquet",
        contrasts=f"{RUN}/comparison/{{experiment}}.contrasts.parquet",
    log:
        f"{LOGS}/compare_conditions/{{experiment}}.log",
    benchmark:
        f"{TIMES}/compare_conditions/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(30, most=DAY),
    params:
        settings=json_of("evaluation", only={"resamples", "confidence"}),
        seed=SEED,
        code=source_digest("compare_conditions"),
    shell:
        command(
            "compare_conditions",
            "--scores {input.scores:q} --table {output.table:q} --csv {output.csv:q} "
            "--markdown {output.markdown:q} --latex {output.latex:q} --html {output.html:q} "
            "--controls {output.controls:q} --contrasts {output.contrasts:q} --seed {params.seed}",
        )


rule write_report:
    input:
        comparison=all_of("comparison/{experiment}.parquet"),
        controls=all_of("comparison/{experiment}.controls.parquet"),
        contrasts=all_of("comparison/{experiment}.contrasts.parquet"),
        nearest=all_of("scores/{experiment}.nearest.parquet"),
        accuracy=all_of("embedding/{experiment}/accuracy.parquet"),
        distances=all_of("groups/{experiment}.distances.parquet"),
        groups=all_of("groups/{experiment}.parquet"),
        sweep=all_of("steering/{experiment}.sweep.parquet"),
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        funnel=f"{RUN}/attributes/funnel.parquet",
        sampling=f"{RUN}/samples/funnel.parquet",
        metrics=f"{RUN}/sfam/metrics.json",
        template="workflow/report/report.html.j2",
    output:
        report=f"{RUN}/report.html",
    log:
        f"{LOGS}/write_report.log",
    benchmark:
        f"{TIMES}/write_report.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of("run", "experiments", "models"),
        code=source_digest("write_report"),
    shell:
        command(
            "write_report",
            "--comparison {input.comparison:q} --controls {input.controls:q} --contrasts {input.contrasts:q} "
            "--nearest {input.nearest:q} --accuracy {input.accuracy:q} --distances {input.distances:q} "
            "--groups {input.groups:q} --sweep {input.sweep:q} --catalogue {input.catalogue:q} "
            "--funnel {input.funnel:q} --sampling {input.sampling:q} --metrics {input.metrics:q} "
            "--template {input.template:q} --report {output.report:q}",
        )
