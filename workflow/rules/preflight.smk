# What Snakemake's own process does around a run: on SLURM it adapts the plugin and starts the watcher; a run that
# failed is explained. Jobs run without these hooks.
import atexit
import subprocess
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

PROJECT = Path(workflow.current_basedir).parent.parent
CAUSES = PROJECT / "profiles" / "slurm" / "causes.yaml"
# of this run: when it began, by the clock of the file system, its record on the cluster, and what shows its progress
THIS_RUN = {"began": 0.0, "record": None, "live": None}
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
        asked = [sys.executable, str(program), "--run", record.name]
        # asked now: the controller forgets
        said = subprocess.run(asked, check=False, stdout=subprocess.PIPE, text=True).stdout
        atexit.register(print, said, end="", flush=True)
    faults = []
    for job in sorted((job for job in here if job.log), key=lambda job: str(job.log[0])):
        missing = [str(file) for file in job.output if not Path(str(file)).exists()]
        named = job.name, "/".join(job.wildcards_dict.values())
        log = Path(str(job.log[0]))
        faults.append(fault_of(log, named, read_causes(CAUSES), THIS_RUN["began"], missing, context=True))
    if faults:
        many = f"{len(faults)} jobs" if len(faults) > 1 else "1 job"
        head = f"{many} failed; mend what each says, then the same command goes on from what is done:"
        atexit.register(print, head, *faults, sep="\n", file=sys.stderr, flush=True)


def begin_display():
    """Progress, on a terminal; of what failed a line, and the reasons at the end."""
    from snakemake.logging import logger
    from sociolect.status.live import begin_live, stream_handler
    from sociolect.status.said_once import SaidOnce

    if handler := stream_handler(logger):
        handler.filters.insert(0, SaidOnce(handler, workflow, on_cluster=THIS_RUN["record"] is not None))
    run = Path(globals().get("RUN", "results"))
    THIS_RUN["live"] = begin_live(workflow, logger, run / "estimate" / "estimate.parquet", THIS_RUN["record"])
    atexit.register(end_display)


def end_display():
    """The terminal as it was, before the last words of the run."""
    if THIS_RUN["live"] is not None:
        THIS_RUN["live"].end()


onstart:
    if log:
        THIS_RUN["began"] = Path(log[0]).stat().st_mtime
    # of common.smk
    check_tables()
    begin_on_cluster(log)
    begin_display()


onerror:
    end_display()
    explain_failures()
