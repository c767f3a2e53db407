# Sociolect: from raw answers to the comparison table. The demo is the embedded default, `--configfile` takes its place.
from snakemake.utils import min_version

min_version("9.27")


if not workflow.configfiles:

    configfile: "config/demo.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/preflight.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/environments.smk"
include: "workflow/rules/paths.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/syntax.smk"
include: "workflow/rules/attributes.smk"
include: "workflow/rules/sfam.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/embedding.smk"
include: "workflow/rules/judges.smk"
include: "workflow/rules/steering.smk"
include: "workflow/rules/generation.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/pages.smk"
include: "workflow/rules/study.smk"
include: "workflow/rules/estimate.smk"


rule all:
    default_target: True
    input:
        comparison=comparison_tables(),
        examples=all_of("comparison/{experiment}.examples.md"),
        embedding=embedding_tables(),
        report=f"{RUN}/report.html",
        explorer=f"{RUN}/explorer.html",


rule labels:
    input:
        labels_of(CONFIG.splits),


rule embedding:
    input:
        embedding_tables(),


rule table:
    input:
        comparison_tables(),


rule report:
    input:
        f"{RUN}/report.html",


rule estimate:
    input:
        f"{RUN}/estimate/estimate.parquet",


onsuccess:
    end_display()
    print_tables()
