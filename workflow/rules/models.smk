# The two models: pinned snapshots of what is fetched, or tiny ones trained from scratch. Folders, loaded offline by all
# others.


rule fetch_model:
    input:
        source=model_files,
    output:
        model=directory(f"{RUN}/models/{{name}}"),
    log:
        f"{LOGS}/fetch_model/{{name}}.log",
    benchmark:
        f"{TIMES}/fetch_model/{{name}}.tsv"
    # may touch the network, as does describe_style with a server: never inside a cluster job
    localrule: True
    conda:
        env_of("core")
    params:
        settings=fetch_json,
        code=source_digest("fetch_model"),
    shell:
        command("fetch_model", name="{wildcards.name}")


if "sfam" not in FETCHED:

    rule make_scratch_sfam:
        input:
            samples=samples_of(CONFIG.splits),
        output:
            model=directory(f"{RUN}/models/sfam"),
        log:
            f"{LOGS}/make_scratch_sfam.log",
        benchmark:
            f"{TIMES}/make_scratch_sfam.tsv"
        conda:
            env_of("core")
        resources:
            mem_mb=growing(4300),
            runtime=growing(20, most=DAY),
        params:
            settings=json.dumps(CONFIG.scratch.sfam.model_dump(mode="json"), sort_keys=True),
            seed=SEED,
            code=source_digest("make_scratch_sfam"),
        shell:
            command("make_scratch_sfam")


if "lm" not in FETCHED:

    rule train_scratch_lm:
        input:
            samples=samples_of(CONFIG.splits),
            prompts=CONFIG.generation.prompt_file,
            tagged=tagged_of(CONFIG.splits),
            groups=ancient(LEFT_OUT),
        output:
            model=directory(f"{RUN}/models/lm"),
        log:
            f"{LOGS}/train_scratch_lm.log",
        benchmark:
            f"{TIMES}/train_scratch_lm.tsv"
        # nothing else waits as long as this one: start it first
        priority: 10
        conda:
            env_of("core")
        threads: MODEL_THREADS
        resources:
            mem_mb=growing(6300),
            runtime=growing(60, most=DAY),
        params:
            settings=json.dumps(CONFIG.scratch.lm.model_dump(mode="json"), sort_keys=True),
            seed=SEED,
            code=source_digest("train_scratch_lm"),
        shell:
            command("train_scratch_lm")
