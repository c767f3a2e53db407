# Sociolect: from raw answers to the comparison table.
from snakemake.utils import min_version

min_version("9.27")


# The demo is the embedded default; `--configfile` takes its place as a whole.
if "run" not in config:

    configfile: "config/demo.yaml"


include: "workflow/rules/preflight.smk"
include: "workflow/rules/common.smk"


scattergather:
    labels=CONFIG.labeling.shards,
    generations=CONFIG.generation.shards,


wildcard_constraints:
    split=one_of(CONFIG.splits),
    experiment=one_of(CONFIG.experiments),
    texts=one_of(CONFIG.splits, [f"generations-{name}" for name in CONFIG.experiments], ["distillation"]),
    name=one_of(HUB_MODELS),


include: "workflow/rules/corpus.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/attributes.smk"
include: "workflow/rules/sfam.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/embedding.smk"
include: "workflow/rules/steering.smk"
include: "workflow/rules/generation.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/estimate.smk"


rule all:
    default_target: True
    input:
        comparison=expand(f"{RUN}/comparison/{{experiment}}.parquet", experiment=CONFIG.experiments),
        accuracy=expand(f"{RUN}/embedding/{{experiment}}/accuracy.parquet", experiment=CONFIG.experiments),
        report=f"{RUN}/report.html",


onsuccess:
    print_tables()
