# Answers, or generations, tagged by spaCy: parts of speech and dependencies; only where `syntax.tagger` says so.


if TAGGED:

    rule tag_answers:
        input:
            answers=texts_of,
            groups=ancient(LEFT_OUT),
        output:
            tagged=f"{RUN}/syntax/{{texts}}.parquet",
        log:
            f"{LOGS}/tag_answers/{{texts}}.log",
        benchmark:
            f"{TIMES}/tag_answers/{{texts}}.tsv"
        conda:
            env_of("syntax")
        resources:
            mem_mb=growing(4300),
            runtime=growing(240, most=DAY),
        params:
            settings=json_of("syntax"),
            id_column=id_column_of,
            text_column=text_column_of,
            cache=lambda wildcards: f"{RUN}/cache/syntax/{wildcards.texts}",
            code=source_digest("tag_answers"),
        shell:
            command("tag_answers")
