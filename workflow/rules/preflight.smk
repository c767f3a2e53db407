# What Snakemake's own process does around a run: on SLURM it adapts the plugin and starts the watcher; a run that
# failed is explained. Jobs run without these hooks.
import subprocess
import sys
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError

BEGAN = time.time()
PROJECT = Path(workflow.current_basedir).parent.parent
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
        begin_session(
            snakemake_executor_plugin_slurm,
            workflow.executor_settings,
            str(log[0] if log else ""),
            PROJECT / "workflow" / "tools",
            PROJECT / "profiles" / "slurm" / "causes.yaml",
        )
    except InputError as error:
        raise WorkflowError(str(error))


def explain_failures():
    """One line per job that failed, as `make why` prints it."""
    program = PROJECT / "workflow" / "tools" / "explain_jobs.py"
    subprocess.run([sys.executable, str(program), "--since", str(BEGAN)], check=False)


onstart:
    # of common.smk
    check_tables()
    begin_on_cluster(log)


onerror:
    explain_failures()
