# Generations -> scores -> the comparison table.


rule score_generations:
    input:
        generations=f"{RUN}/generations/{{experiment}}.parquet",
        labels=f"{RUN}/labels/generations-{{experiment}}.parquet",
        judged=f"{RUN}/scores/{{experiment}}.judged.parquet",
        relevance=f"{RUN}/scores/{{experiment}}.relevance.parquet",
        fluency=f"{RUN}/generations/{{experiment}}.fluency.parquet",
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        model=f"{RUN}/embedding/{{experiment}}/model.safetensors",
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
        code=source_digest("score_generations"),
    shell:
        command("score_generations")


rule compare_conditions:
    input:
        scores=f"{RUN}/scores/{{experiment}}.parquet",
        generations=f"{RUN}/generations/{{experiment}}.parquet",
        template=[f"workflow/report/{name}.html.j2" for name in ("comparison", "table")],
    output:
        table=f"{RUN}/comparison/{{experiment}}.parquet",
        csv=f"{RUN}/comparison/{{experiment}}.csv",
        markdown=f"{RUN}/comparison/{{experiment}}.md",
        latex=f"{RUN}/comparison/{{experiment}}.tex",
        html=report(
            f"{RUN}/comparison/{{experiment}}.html",
            caption="../report/comparison.rst",
            category="Comparison tables",
            labels={"experiment": "{experiment}"},
        ),
        controls=f"{RUN}/comparison/{{experiment}}.controls.parquet",
        some=f"{RUN}/comparison/{{experiment}}.some.parquet",
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
        command("compare_conditions")


rule compare_judges:
    input:
        scores=f"{RUN}/scores/{{experiment}}.parquet",
        judged=f"{RUN}/scores/{{experiment}}.judged.parquet",
        fitted=f"{RUN}/judges/{{experiment}}.ceilings.parquet",
        humans=f"{RUN}/judges/{{experiment}}.humans.parquet",
        human_labels=f"{RUN}/labels/humans-{{experiment}}.parquet",
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        model=f"{RUN}/embedding/{{experiment}}/model.safetensors",
    output:
        table=f"{RUN}/comparison/{{experiment}}.judges.parquet",
        agreement=f"{RUN}/comparison/{{experiment}}.agreement.parquet",
        contrasts=f"{RUN}/comparison/{{experiment}}.judge_contrasts.parquet",
        ceilings=f"{RUN}/comparison/{{experiment}}.ceilings.parquet",
        page=f"{RUN}/comparison/{{experiment}}.judges.md",
    log:
        f"{LOGS}/compare_judges/{{experiment}}.log",
    benchmark:
        f"{TIMES}/compare_judges/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(30, most=DAY),
    params:
        settings=json_of("evaluation", only={"resamples", "confidence"}),
        seed=SEED,
        code=source_digest("compare_judges"),
    shell:
        command("compare_judges")


rule show_examples:
    input:
        scores=f"{RUN}/scores/{{experiment}}.parquet",
        generations=f"{RUN}/generations/{{experiment}}.parquet",
        ask=ask_samples,
        catalogue=f"{RUN}/attributes/catalogue.parquet",
    output:
        page=f"{RUN}/comparison/{{experiment}}.examples.md",
    log:
        f"{LOGS}/show_examples/{{experiment}}.log",
    benchmark:
        f"{TIMES}/show_examples/{{experiment}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of("evaluation", only={"examples"}),
        code=source_digest("show_examples"),
    shell:
        command("show_examples")
