# What Snakemake's own process does around a run: on SLURM it adapts the plugin and starts the watcher; a run that
# failed is explained. Jobs run without these hooks.
import atexit
import subprocess
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

PROJECT = Path(workflow.current_basedir).parent.parent
CAUSES = PROJECT / "profiles" / "slurm" / "causes.yaml"
# of this run: when it began, by the clock of the file system, and its record on the cluster
THIS_RUN = {"began": 0.0, "record": None}
for mark in "{}":
    if mark in str(PROJECT):
        raise WorkflowError(
            f"{PROJECT}: the path of the project has the character {mark!r}, which Snakemake takes for a wildcard; "
            "rename the folder, or move the project"
        )
if (PROJECT / "workflow" / "scripts").as_posix() not in sys.path:
    sys.path.insert(0, (PROJECT / "workflow" / "scripts").as_posix())


def begin_on_cluster(log):
    """Nothing on one machine."""
    if workflow.executor_plugin.name != "slurm":
        return
    import snakemake_executor_plugin_slurm
    from sociolect.common.errors import InputError
    from sociolect.slurm.session import begin_session

    try:
        record = begin_session(
            snakemake_executor_plugin_slurm,
            workflow.executor_settings,
            str(log[0] if log else ""),
            PROJECT / "workflow" / "tools",
            CAUSES,
            workflow.configfiles,
        )
    except InputError as error:
        raise WorkflowError(str(error))
    THIS_RUN["record"] = record


def outputs_not_here(jobs):
    """By the label of `make why`. Of a job that failed they were removed; one that completed wrote them elsewhere."""
    labels = {}
    for job in jobs:
        wildcards = ", ".join(f"{name}={value}" for name, value in job.wildcards_dict.items())
        label = f"{job.name} [{wildcards}]" if wildcards else job.name
        labels[label] = [str(file) for file in job.output if not Path(str(file)).exists()]
    return labels


def explain_failures():
    """What failed in this run, and in no other: as `make why` prints it, and below all that Snakemake still says."""
    from sociolect.slurm.local_faults import fault_of
    from sociolect.slurm.runs import note_missing
    from sociolect.slurm.verdicts import read_causes

    failed, record = list(workflow.scheduler.failed), THIS_RUN["record"]
    here = [job for job in failed if record is None or job.is_local]
    if len(here) < len(failed):
        note_missing(record, outputs_not_here(job for job in failed if job not in here))
        program = PROJECT / "workflow" / "tools" / "explain_jobs.py"
        subprocess.run([sys.executable, str(program), "--run", record.name], check=False)
    logs = {Path(str(job.log[0])): (job.name, "/".join(job.wildcards_dict.values())) for job in here if job.log}
    faults = [fault_of(log, job, read_causes(CAUSES), THIS_RUN["began"]) for log, job in sorted(logs.items())]
    atexit.register(print, *faults, sep="\n", end="\n" if faults else "", file=sys.stderr, flush=True)


onstart:
    if log:
        THIS_RUN["began"] = Path(log[0]).stat().st_mtime
    # of common.smk
    check_tables()
    begin_on_cluster(log)


onerror:
    explain_failures()
