# Tables of a run -> the report with its figures and sentences; texts, map and judges -> the explorer.


rule write_report:
    input:
        comparison=all_of("comparison/{experiment}.parquet"),
        controls=all_of("comparison/{experiment}.controls.parquet"),
        contrasts=all_of("comparison/{experiment}.contrasts.parquet"),
        nearest=all_of("scores/{experiment}.nearest.parquet"),
        accuracy=all_of("embedding/{experiment}/accuracy.parquet"),
        topic=all_of("embedding/{experiment}/topic.parquet"),
        embeddings=all_of("embedding/{experiment}/embeddings.parquet"),
        stability=all_of("groups/{experiment}.stability.parquet"),
        distances=all_of("groups/{experiment}.distances.parquet"),
        groups=all_of("groups/{experiment}.parquet"),
        sweep=all_of("steering/{experiment}.sweep.parquet"),
        ceilings=all_of("comparison/{experiment}.ceilings.parquet"),
        judges=all_of("comparison/{experiment}.judges.parquet"),
        agreement=all_of("comparison/{experiment}.agreement.parquet"),
        judge_contrasts=all_of("comparison/{experiment}.judge_contrasts.parquet"),
        choice=all_of("steering/{experiment}.choice.json"),
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        funnel=f"{RUN}/attributes/funnel.parquet",
        sampling=f"{RUN}/samples/funnel.parquet",
        left_out=LEFT_OUT,
        metrics=FIGURES,
        steps=branch(MEASURED, then=[], otherwise=f"{RUN}/sfam/steps.parquet"),
        fidelity=branch(CONFIG.labeling.scorer == "distilled", then=f"{RUN}/sfam/fidelity.parquet", otherwise=[]),
        chain=chains(),
        weights=all_of("steering/{experiment}.weights.json"),
        template=[
            f"workflow/report/{name}.html.j2"
            for name in ("report", "report_style", "report_experiment", "figure", "table")
        ],
    output:
        report=report(
            f"{RUN}/report.html",
            caption="../report/report.rst",
            category="What was found",
            labels={"what": "the report"},
        ),
        findings=report(
            f"{RUN}/findings.md",
            caption="../report/findings.rst",
            category="What was found",
            labels={"what": "five sentences per experiment"},
        ),
        figures=report(
            directory(f"{RUN}/figures"),
            patterns=["{figure}.svg"],
            caption="../report/figures.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
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
        settings=json_of("run", "experiments", "models", "evaluation", only={"evaluation": {"confidence"}}),
        # read as it lies when the report is written: benchmarks are no outputs that a rule could wait for
        times=TIMES,
        gpus=gpus_asked,
        code=source_digest("write_report"),
    shell:
        command("write_report")


rule write_explorer:
    input:
        scores=all_of("scores/{experiment}.parquet"),
        generations=all_of("generations/{experiment}.parquet"),
        judged=all_of("scores/{experiment}.judged.parquet"),
        groups=all_of("groups/{experiment}.parquet"),
        judges=all_of("comparison/{experiment}.judges.parquet"),
        model=all_of("embedding/{experiment}/model.safetensors"),
        ask=samples_of(experiment.ask for experiment in CONFIG.experiments.values()),
        catalogue=f"{RUN}/attributes/catalogue.parquet",
        template=[f"workflow/report/explorer.{part}.j2" for part in ("html", "css", "js")],
    output:
        page=report(
            f"{RUN}/explorer.html",
            caption="../report/explorer.rst",
            category="What was found",
            labels={"what": "all answers side by side, on a map and by judge"},
        ),
    log:
        f"{LOGS}/write_explorer.log",
    benchmark:
        f"{TIMES}/write_explorer.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of("run", "experiments", "evaluation", only={"evaluation": {"resamples", "confidence"}}),
        seed=SEED,
        code=source_digest("write_explorer"),
    shell:
        command("write_explorer")
