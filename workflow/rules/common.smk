# What all rules share: the checked config, its sections as JSON, the command of a program, resources.
# Parsed again in every cluster job: nothing heavy is imported here.
import json
import os
import re
import shlex
import subprocess
import sys
from itertools import chain
from pathlib import Path

BASE = Path(workflow.basedir)
BASE = BASE.parent if BASE.name == "workflow" else BASE
SCRIPTS = (BASE / "workflow" / "scripts").as_posix()
if SCRIPTS not in sys.path:
    sys.path.insert(0, SCRIPTS)

from sociolect.common import digests
from sociolect.common.errors import InputError
from sociolect.common.yaml_files import read_mapping
from sociolect.common.flags import declared_flags, flag_of
from sociolect.preflight.run_faults import run_faults
from sociolect.settings.config import load_config, section
from sociolect.settings.corpus import IMPORT_KEYS
from sociolect.settings.models import MODEL_FILES, GgufModel, HubModel, LocalModel, is_small
from sociolect.settings.study import VectorJob, cells_of, vector_cells_of


def checked_config(tables):
    """The config, if nothing is wrong with it and with what it names, the tables of these splits included (None: all
    that there is to see in them); all faults at once.
    """
    # where conda is in charge the packages are its own
    packages = "conda" not in {str(method) for method in workflow.deployment_settings.deployment_method}
    checked, lines = run_faults(config, "config", CONFIGFILES, BASE, packages, tables)
    if checked is None:
        raise InputError("\n".join(lines))
    return checked


def check_tables():
    """End a run before its first job where a table that it imports is not as it should be."""
    jobs = list(workflow.dag.needrun_jobs())
    imported = {job.wildcards.split for job in jobs if job.rule.name == "import_corpus"}
    everything = imported == set(CONFIG.splits) and "check_groups" in {job.rule.name for job in jobs}
    try:
        checked_config(None if everything else imported)
    except InputError as error:
        raise WorkflowError(f"this run cannot start\n{error}")


try:
    CONFIGFILES = [Path(os.path.relpath(path)) for path in workflow.configfiles]
    for path in CONFIGFILES:
        # Snakemake takes the last of two equal keys
        read_mapping(path)
    if workflow.is_main_process:
        CONFIG = checked_config(tables=())
    else:
        CONFIG = load_config(config, "config", CONFIGFILES)
except InputError as error:
    raise WorkflowError(f"this run cannot start\n{error}")

RUN = f"results/{CONFIG.run}"
LOGS = f"{RUN}/logs"
TIMES = f"{RUN}/benchmarks"
SEED = CONFIG.seed
# What the tables lose on the way to the groups of the experiments. What costs hours waits for it: an experiment without
# two groups ends the run first.
LEFT_OUT = f"{RUN}/samples/left_out.parquet"
# What the embedding study compares.
CELLS = cells_of(CONFIG.study.axes, bool(CONFIG.group_parents), CONFIG.syntax.tagger != "none")
# What the study of attribute vectors compares, and what it runs for each.
VECTOR_CELLS = vector_cells_of(
    CONFIG.study.vector_axes, VectorJob(**{name: getattr(CONFIG, name) for name in VectorJob.model_fields})
)
# Partitions rarely take longer jobs: minutes of a day.
DAY = 1440


def one_of(*names):
    """Wildcard constraint: one of these names, or nothing at all."""
    return "|".join(re.escape(str(name)) for name in chain(*names)) or "(?!)"


def json_of(*names, only=None):
    """The settings of a program: one section (or these keys of it), or several sections by name."""
    values = section(CONFIG, *names, only=only)
    for name, part in [(names[0], values)] if len(names) == 1 else values.items():
        # a flag of its own, and only where something is generated; the probe of all stages names it
        kept = only.get(name, ()) if isinstance(only, dict) else only or ()
        # a key of the section: an experiment or a group may be called so
        if hasattr(getattr(CONFIG, name), "backend") and "backend" not in kept:
            part.pop("backend", None)
    # experiments in the config's order, as the files of all of them are
    return json.dumps(values, sort_keys="experiments" not in names)


def source_digest(program, leave=()):
    """Digest of a program's sources, as a param. A job on a cluster parses all rules and runs one: only its own
    sources are read.
    """
    return lambda wildcards: digests.source_digest(program, leave=leave)


def growing(amount, most=float("inf")):
    """A resource that grows with the attempt, up to `most`: what was too little, memory or time, is more next time."""
    return lambda wildcards, attempt: min(amount * attempt, max(amount, most))


def command(program, env="core", gpus=0, **given):
    """Interpreter and program with its flags, by way of start_program.py.

    The flags are those that the program declares: its inputs and outputs come from the rule's of the same names, its
    options from the params of the same names, or from `given`. `gpus` is what the program needs in a SLURM job: a
    number, or "any". Where interpreter and programs lie stands in the shell's prefix, not here: a project that is
    moved has nothing to rerun.
    """
    declared = declared_flags(Path(SCRIPTS) / f"{program}.py")
    values = {
        **{name: f"{{input.{name}:q}}" for name in declared.inputs},
        **{name: f"{{output.{name}:q}}" for name in declared.outputs},
        **{name: f"{{params.{name}:q}}" for name in declared.options},
        **({"seed": "{params.seed}"} if declared.seeded else {}),
        "threads": "{threads}",
        "settings": "{params.settings:q}",
        "code": "{params.code}",
    }
    strange = set(given) - set(values)
    if strange:
        raise WorkflowError(f"{program} declares no flag {sorted(strange)[0]!r}")
    flags = " ".join(f"{flag_of(name)} {value}" for name, value in {**values, **given}.items())
    python = f'"$PYTHON_{env.upper()}"'
    return (
        f'{python} "$SCRIPTS"/start_program.py --interpreter {python} --gpus {gpus} {program} {flags} '
        "--strict --heartbeat {log:q}.beat > {log:q} 2>&1"
    )


def print_tables():
    """Print the comparison tables that exist, what was left out, what was found and where it lies, as the last thing of
    a run.
    """
    tables = [f"{RUN}/comparison/{name}.parquet" for name in CONFIG.experiments]
    for tool, flag, files in (("print_left_out", "--left-out", [LEFT_OUT]), ("print_tables", "--table", tables)):
        files = [file for file in files if Path(file).is_file()]
        if files:
            print_by(tool, "--settings", "{}", flag, *files)
    found, there = Path(f"{RUN}/findings.md"), [Path(file) for file in tables if Path(file).is_file()]
    # older ones are not of these tables
    if found.is_file() and all(table.stat().st_mtime <= found.stat().st_mtime for table in there):
        places = {"report": "report.html", "explorer": "explorer.html", "figures": "figures", "tables": "comparison"}
        places |= {"sentences": found.name}
        places = [f"{what}={RUN}/{path}" for what, path in places.items()]
        print_by("print_findings", "--findings", found.as_posix(), "--places", *places)


def print_by(tool, *flags):
    """Run a tool that prints."""
    subprocess.run([sys.executable, str(BASE / "workflow" / "tools" / f"{tool}.py"), *flags], check=False)
