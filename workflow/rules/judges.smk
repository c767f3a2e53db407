# Human answers -> judges of generated ones, which share nothing with the style model, and what they say of them.


rule fit_judges:
    input:
        samples=fit_samples,
        ask=ask_samples,
        groups=f"{RUN}/groups/{{experiment}}.parquet",
        lm=f"{RUN}/models/lm",
    output:
        judges=f"{RUN}/judges/{{experiment}}.joblib",
        plain=f"{RUN}/judges/{{experiment}}.plain.joblib",
        ceilings=f"{RUN}/judges/{{experiment}}.ceilings.parquet",
        humans=f"{RUN}/judges/{{experiment}}.humans.parquet",
    log:
        f"{LOGS}/fit_judges/{{experiment}}.log",
    benchmark:
        f"{TIMES}/fit_judges/{{experiment}}.tsv"
    conda:
        env_of("syntax" if TAGGED else "core")
    resources:
        mem_mb=growing(8300),
        runtime=growing(120, most=DAY),
    params:
        settings=json_of(
            "evaluation",
            "generation",
            "syntax",
            only={
                "evaluation": {"resamples", "confidence", "sentence_model"},
                "generation": {"max_new_tokens"},
                "syntax": {"tagger"},
            },
        ),
        seed=SEED,
        code=source_digest("fit_judges"),
    shell:
        command("fit_judges")


rule judge_answers:
    input:
        generations=f"{RUN}/generations/{{experiment}}.parquet",
        judges=f"{RUN}/judges/{{experiment}}.joblib",
        ask=ask_samples,
    output:
        judged=f"{RUN}/scores/{{experiment}}.judged.parquet",
        relevance=f"{RUN}/scores/{{experiment}}.relevance.parquet",
    log:
        f"{LOGS}/judge_answers/{{experiment}}.log",
    benchmark:
        f"{TIMES}/judge_answers/{{experiment}}.tsv"
    conda:
        env_of("syntax" if TAGGED else "core")
    resources:
        mem_mb=growing(8300),
        runtime=growing(120, most=DAY),
    params:
        settings=json_of(
            "evaluation",
            "generation",
            "syntax",
            only={"evaluation": {"sentence_model"}, "generation": set(), "syntax": {"tagger"}},
        ),
        code=source_digest("judge_answers"),
    shell:
        command("judge_answers")
