# Raw answers -> cleaned corpus -> samples with train, val and test.


rule make_demo_corpus:
    output:
        single=f"{RUN}/demo/single.parquet",
        multi=f"{RUN}/demo/multi.parquet",
        askx=f"{RUN}/demo/askx.parquet",
        truth=f"{RUN}/demo/truth.parquet",
    log:
        f"{LOGS}/make_demo_corpus.log",
    benchmark:
        f"{TIMES}/make_demo_corpus.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(1300),
        runtime=growing(10, most=DAY),
    params:
        settings=json_of("demo"),
        seed=SEED,
        code=source_digest("make_demo_corpus"),
    shell:
        command("make_demo_corpus")


rule import_corpus:
    input:
        table=table_of,
    output:
        corpus=f"{RUN}/corpus/{{split}}.parquet",
        funnel=f"{RUN}/corpus/{{split}}.funnel.parquet",
    log:
        f"{LOGS}/import_corpus/{{split}}.log",
    benchmark:
        f"{TIMES}/import_corpus/{{split}}.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        # the paths are inputs, not settings: moving a file reruns nothing
        settings=json_of("corpus", only=IMPORT_KEYS),
        code=source_digest("import_corpus"),
    shell:
        command("import_corpus", split="{wildcards.split}")


rule sample_groups:
    input:
        corpus=expand(f"{RUN}/corpus/{{split}}.parquet", split=CONFIG.splits),
    output:
        samples=samples_of(CONFIG.splits),
        funnel=f"{RUN}/samples/funnel.parquet",
    log:
        f"{LOGS}/sample_groups.log",
    benchmark:
        f"{TIMES}/sample_groups.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of("sampling"),
        splits=",".join(CONFIG.splits),
        folder=lambda wildcards, output: Path(output.funnel).parent.as_posix(),
        seed=SEED,
        code=source_digest("sample_groups"),
    shell:
        command("sample_groups", samples_dir="{params.folder:q}")


rule check_groups:
    input:
        corpus=expand(f"{RUN}/corpus/{{split}}.parquet", split=CONFIG.splits),
        funnels=expand(f"{RUN}/corpus/{{split}}.funnel.parquet", split=CONFIG.splits),
        samples=samples_of(CONFIG.splits),
        sampling=f"{RUN}/samples/funnel.parquet",
    output:
        left_out=LEFT_OUT,
    log:
        f"{LOGS}/check_groups.log",
    benchmark:
        f"{TIMES}/check_groups.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(4300),
        runtime=growing(20, most=DAY),
    params:
        settings=json_of("experiments", "group_parents"),
        splits=",".join(CONFIG.splits),
        code=source_digest("check_groups"),
    shell:
        command("check_groups")
