# Texts, map and judges of a run -> the page on which they are looked at.


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
        page=f"{RUN}/explorer.html",
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
