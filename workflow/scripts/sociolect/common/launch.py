"""Starts a program so that a start that fails or hangs says where: start line, watchdog, stages, GPUs.

Standard library only, and plain enough for an old Python: the one that runs it may be the wrong one.
"""

from __future__ import annotations

import faulthandler
import os
import runpy
import socket
import sys
import traceback
from pathlib import Path

from sociolect.common.heartbeat import LIMITS_S, write_beat
from sociolect.common.parent import go_on_as_child

GPU_VARIABLES = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
FOREIGN = ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "PYTHONHOME")


def launch(program: Path, flags: list[str], interpreter: str, gpus: str) -> None:
    """Say that the program starts, check what it needs, and run it in a child of this process, which tells its end.

    Args:
        program: path of the program.
        flags: its own flags; `--heartbeat FILE` among them names the heartbeat.
        interpreter: the Python that was meant, or a bare name where an environment manager decides.
        gpus: number of GPUs that the program needs in a SLURM job, or `any`: it takes what it gets.

    Raises:
        SystemExit: after one last line `error: ...`, if the start failed; else as the program ends.
    """
    beat = Path(flags[flags.index("--heartbeat") + 1]) if "--heartbeat" in flags else None
    go_on_as_child(beat)
    # a crash leaves the stack of the program's own lines
    faulthandler.enable()
    # before a word is said: where the log's disk is full, this is all there is
    _leave_evidence(beat)
    job = os.environ.get("SLURM_JOB_ID", "")
    seen = visible_gpus()
    node = os.environ.get("SLURMD_NODENAME") or socket.gethostname()
    _say(
        f"[start] program={program.stem} job={job or '-'} node={node} pid={os.getpid()} "
        f"python={sys.executable} gpus={','.join(seen) or '-'}{_foreign()}"
    )
    try:
        _stage(beat, "exec")
        check_interpreter(interpreter)
        if not program.is_file():
            raise StartError(f"no program {program.stem}: {program} is not there")
        if job:
            check_gpus(gpus, seen)
        limit = int(os.environ.get("SOCIOLECT_IMPORT_LIMIT_S", LIMITS_S["imports"]))
        # A hang in an import leaves no trace: the dump of the stack names it. The program calls it off.
        faulthandler.dump_traceback_later(limit, exit=True, file=sys.stderr)
        _stage(beat, "imports", limit_s=limit)
        if job and gpus not in ("0", "any"):
            _check_device(beat)
        # bars are for terminals: in a log they are one endless line; transformers reads this, too
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        sys.argv = [str(program), *flags]
        runpy.run_path(str(program), run_name="__main__")
    except StartError as error:
        _fail(beat, str(error))
    except ImportError as error:
        traceback.print_exc()
        _fail(beat, f"{program.stem}: {type(error).__name__}: {error}; this Python is {sys.executable}")


class StartError(Exception):
    """A start that cannot go on; the message says what is wrong and what to do."""


def visible_gpus() -> list[str]:
    """Names of the GPUs that SLURM shows this job."""
    for name in GPU_VARIABLES:
        if value := os.environ.get(name, ""):
            return [part for part in value.split(",") if part and part != "NoDevFiles"]
    return []


def check_interpreter(interpreter: str) -> None:
    """The environment is the one that was meant.

    Raises:
        StartError: another Python runs this.
    """
    meant = Path(interpreter)
    if not meant.is_absolute():
        return
    environment = meant.parent.parent
    if os.path.realpath(environment) != os.path.realpath(sys.prefix):
        raise StartError(
            f"wrong Python: {sys.executable} runs this, which has not the packages of {environment}; "
            'write "$PYTHON_CORE" in the rule, not `python`'
        )


def check_gpus(gpus: str, seen: list[str]) -> None:
    """The job has the GPUs that its program needs, and a program that needs none sees none.

    Raises:
        StartError: SLURM shows fewer GPUs than the program needs.
    """
    if gpus == "any":
        return
    if int(gpus) > len(seen):
        raise StartError(
            f"no GPU for a program that needs one: wanted {gpus}, SLURM shows {len(seen)}; "
            "the rule must ask for it: resources: gpu=1"
        )
    if gpus == "0":
        # without a request some sites show every GPU of the node
        for name in GPU_VARIABLES:
            os.environ[name] = ""


def _foreign() -> str:
    """What puts other libraries before those of the environment; a site may set it for the step alone."""
    return "".join(f" {name}={value}" for name in FOREIGN if (value := os.environ.get(name)))


def _check_device(beat: Path | None) -> None:
    """One small matrix product, so that a bad driver or GPU fails here and not after the model was loaded."""
    import torch

    _stage(beat, "device")
    if not torch.cuda.is_available():
        built = torch.version.cuda or "no CUDA: a CPU build"
        raise StartError(
            f"SLURM gave a GPU, torch cannot use it: torch {torch.__version__} is built for {built}; "
            "compare with the driver's version in the job's [start] line"
        )
    try:
        ones = torch.ones(64, 64, device="cuda")
        total = float((ones @ ones).sum())
    except RuntimeError as error:
        raise StartError(f"CUDA error on the first matrix product: {error}") from error
    if total != 64.0**3:
        raise StartError(f"CUDA error: the GPU computes wrong results ({total} instead of {64.0**3})")


def _leave_evidence(beat: Path | None) -> None:
    """Tell job_env.sh where log and heartbeat are: it keeps their ends if the job fails; a retry writes over them."""
    folder = os.environ.get("SOCIOLECT_JOB_TMP", "")
    if beat is not None and folder and Path(folder).is_dir():
        Path(folder, "heartbeat").write_text(str(beat.absolute()) + "\n")


def _stage(beat: Path | None, stage: str, **state: object) -> None:
    if beat is not None:
        write_beat(beat, stage, **state)


def _fail(beat: Path | None, message: str) -> None:
    _stage(beat, "exec", ended="failed", message=message)
    print(f"error: {message}", file=sys.stderr, flush=True)
    raise SystemExit(1) from None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
