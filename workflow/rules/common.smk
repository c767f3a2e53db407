# What all rules share, the checked config, interpreters, settings and source digests as JSON.
# Parsed again in every cluster job: nothing heavy is imported here.
import json
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

BASE = Path(workflow.basedir)
BASE = BASE.parent if BASE.name == "workflow" else BASE
SCRIPTS = (BASE / "workflow" / "scripts").as_posix()
if SCRIPTS not in sys.path:
    sys.path.insert(0, SCRIPTS)

from sociolect.digests import file_digest, source_digest
from sociolect.errors import InputError
from sociolect.settings import HubModel, load_config, section

try:
    CONFIG = load_config(config, ", ".join(map(str, workflow.configfiles)) or "config")
except InputError as error:
    raise WorkflowError(f"the config is not valid\n{error}")

RUN = f"results/{CONFIG.run}"
LOGS = f"{RUN}/logs"
TIMES = f"{RUN}/benchmarks"
HUB_MODELS = [name for name in ("sfam", "lm") if isinstance(getattr(CONFIG.models, name), HubModel)]
# Tiny models gain nothing from more threads; two of them side by side do.
MODEL_THREADS = 8 if HUB_MODELS else 1
# A hub model without its GPU must not start on a CPU unseen; tiny ones take what they get.
GPUS = 1 if HUB_MODELS else "any"
# Partitions rarely take longer jobs: minutes of a day.
DAY = 1440
SEED = CONFIG.seed
if CONFIG.description.describer != "llm":
    # the profile's GPU partition and model are for the `llm` describer
    asked = dict(workflow.resource_settings.overwrite_resources)
    asked.pop("describe_style", None)
    workflow.resource_settings.overwrite_resources = asked


def one_of(*names):
    """Wildcard constraint: one of these names, or nothing at all."""
    return "|".join(re.escape(str(name)) for name in chain(*names)) or "(?!)"


def json_of(*names, only=None):
    """The settings of a program: one section (or these keys of it), or several sections by name."""
    values = section(CONFIG, *names, only=only)
    for name, part in [(names[0], values)] if len(names) == 1 else values.items():
        # a flag of its own, and only where something is generated; the probe of all stages names it
        if isinstance(part, dict) and "backend" not in (only.get(name, ()) if isinstance(only, dict) else only or ()):
            part.pop("backend", None)
    return json.dumps(values, sort_keys=True)


def env_of(name):
    """Conda environment of a rule, for --sdm conda."""
    return (BASE / "envs" / f"{name}.yaml").as_posix()


def python_of(name):
    """Absolute interpreter of an environment, or the one of conda where that is in charge."""
    if "conda" in {str(method) for method in workflow.deployment_settings.deployment_method}:
        return "python"
    venv = BASE / {"core": ".venv"}.get(name, f".venv-{name}") / "bin" / "python"
    return sys.executable if name == "core" else venv.as_posix()


def backend_name(stage):
    """Backend of a stage: where nothing is generated, its choice of vLLM says nothing."""
    idle = {"description": CONFIG.description.describer != "llm", "activations": CONFIG.activations.source == "forward"}
    return "transformers" if idle.get(stage) else getattr(CONFIG, stage).backend


def engine_of(stage):
    """Environment of a stage that generates."""
    return "vllm" if backend_name(stage) == "vllm" else "core"


def backend_of(stage):
    """The backend of a stage, as a flag; a key of vLLM's reruns only what uses vLLM."""
    name = backend_name(stage)
    return json.dumps(
        {"backend": name, **({"vllm": section(CONFIG, "vllm")} if name == "vllm" else {})}, sort_keys=True
    )


def probed_stage():
    """The stage whose backend is probed: one that generates with vLLM, if any does."""
    return "description" if engine_of("description") == "vllm" else "generation"


def code_of(program, stage):
    """Source digest of a program that generates: an edit of what only vLLM needs reruns only what uses vLLM."""
    return source_digest(program, leave=() if engine_of(stage) == "vllm" else ("sociolect.generation.vllm_backend",))


def gpus_of(stage):
    """GPUs that a stage asks for: vLLM may share a model among several."""
    return CONFIG.vllm.tensor_parallel if engine_of(stage) == "vllm" else 1


def needed(stage):
    """GPUs without which the stage's program must not start in a SLURM job."""
    return gpus_of(stage) if HUB_MODELS else "any"


def growing(amount, most=float("inf")):
    """A resource that grows with the attempt, up to `most`: what was too little, memory or time, is more next time."""
    return lambda wildcards, attempt: min(amount * attempt, max(amount, most))


def command(program, flags, env="core", gpus=0):
    """Interpreter and program with its own flags and those that all programs share, by way of start_program.py.

    `gpus` is what the program needs in a SLURM job: a number, or "any". Where interpreter and programs lie stands in
    the shell's prefix, not here: a project that is moved has nothing to rerun.
    """
    python = f'"$PYTHON_{env.upper()}"'
    return (
        f'{python} "$SCRIPTS"/start_program.py --interpreter {python} --gpus {gpus} {program} {flags.strip()} '
        "--strict --settings {params.settings:q} --code {params.code} --heartbeat {log:q}.beat > {log:q} 2>&1"
    )


# what needs vLLM must not start without it
for stage in ("description", "activations", "sweep", "generation"):
    if engine_of(stage) == "vllm" and python_of("vllm") != "python" and not Path(python_of("vllm")).is_file():
        raise WorkflowError(f"{stage}.backend is vllm, and there is no .venv-vllm: make setup-vllm")

# `.venv/bin/snakemake` without activation would find another python in `shell:`: its folder comes first, too.
# Where conda is in charge its own comes first already.
shell.prefix(
    ("" if python_of("core") == "python" else f'export PATH="{Path(sys.executable).parent}:$PATH"; ')
    + f'export SCRIPTS="{SCRIPTS}" PYTHON_CORE="{python_of("core")}" PYTHON_VLLM="{python_of("vllm")}"; '
)


def samples_of(splits):
    """Sample tables of these splits, in their order."""
    return [f"{RUN}/samples/{split}.parquet" for split in splits]


def labels_of(splits):
    """Label tables of these splits, in their order."""
    return [f"{RUN}/labels/{split}.parquet" for split in splits]


def fit_of(wildcards):
    """Splits that an experiment is fitted on."""
    return CONFIG.experiments[wildcards.experiment].fit


def ask_of(wildcards):
    """Split whose test questions an experiment asks."""
    return CONFIG.experiments[wildcards.experiment].ask


def table_of(wildcards):
    """Input table of a split: the made-up one, or the user's."""
    if CONFIG.corpus.source == "demo":
        return f"{RUN}/demo/{wildcards.split}.parquet"
    return CONFIG.corpus.paths[wildcards.split]


def fit_samples(wildcards):
    """Samples of the splits that the experiment is fitted on."""
    return samples_of(fit_of(wildcards))


def fit_labels(wildcards):
    """Style vectors of the splits that the experiment is fitted on."""
    return labels_of(fit_of(wildcards))


def ask_samples(wildcards):
    """Samples of the split whose questions are asked."""
    return f"{RUN}/samples/{ask_of(wildcards)}.parquet"


def fit_splits(wildcards):
    """The same splits, as a flag."""
    return ",".join(fit_of(wildcards))


def all_of(pattern):
    """One file per experiment."""
    return expand(f"{RUN}/{pattern}", experiment=CONFIG.experiments)


def labeller(scorer):
    """Folder of the model that labels."""
    return f"{RUN}/sfam/" + ("student" if scorer == "distilled" else "teacher")


def labeling_json(scorer, only):
    """These keys of the section labeling, with a scorer of the rule's own."""
    return json.dumps({**section(CONFIG, "labeling", only=only), "scorer": scorer}, sort_keys=True)


def labeller_of(wildcards):
    """Who labels: the configured scorer; what the student learns from is scored by SFAM itself."""
    return labeller(CONFIG.labeling.scorer if wildcards.texts != "distillation" else "cross_encoder")


def labeling_of(wildcards):
    """Settings of that labeller."""
    scorer = "cross_encoder" if wildcards.texts == "distillation" else CONFIG.labeling.scorer
    return labeling_json(scorer, {"max_tokens", "tokens_per_batch", "precision", "compiled", "buckets"})


def fidelity_of(wildcards):
    """A student labels only after its fidelity was found to be enough; a new minimum relabels nothing."""
    by_student = CONFIG.labeling.scorer == "distilled" and wildcards.texts != "distillation"
    return ancient(f"{RUN}/sfam/fidelity.parquet") if by_student else []


def texts_of(wildcards):
    """What is labelled: the samples of a split, the generations of an experiment, or what the student learns from."""
    if wildcards.texts == "distillation":
        return f"{RUN}/sfam/distillation.parquet"
    if wildcards.texts.startswith("generations-"):
        return f"{RUN}/generations/{wildcards.texts.removeprefix('generations-')}.parquet"
    return f"{RUN}/samples/{wildcards.texts}.parquet"


def columns_of(wildcards):
    """Columns with the id and the text of what is labelled."""
    generated = wildcards.texts.startswith("generations-")
    return "--id-column request_id --text-column text" if generated else "--id-column answer_id --text-column answer"


def catalogue_so_far(wildcards):
    """The catalogue where a run has made it: looked at, but no input, so that an estimate never describes answers."""
    path = Path(f"{RUN}/attributes/catalogue.parquet")
    return [path.as_posix()] if path.is_file() else []


def print_tables():
    """Print the comparison tables that exist, as the last thing of a run."""
    tables = [f"{RUN}/comparison/{name}.parquet" for name in CONFIG.experiments]
    tables = [table for table in tables if Path(table).is_file()]
    if tables:
        subprocess.run(
            [sys.executable, f"{SCRIPTS}/print_tables.py", "--settings", "{}", "--table", *tables], check=False
        )
