"""Checks of a site before anything is submitted: environment, SLURM, profile, models, disk, bad nodes, probe jobs."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sociolect.common.errors import InputError
from sociolect.lm.server_probe import server_fault
from sociolect.settings.config import Config
from sociolect.settings.models import GgufModel, LocalModel, ModelsSettings, name_of
from sociolect.slurm.commands import FINAL, ask, cancel, controller, queue
from sociolect.slurm.evidence import gather
from sociolect.slurm.nodes import bad_nodes
from sociolect.slurm.plain_paths import refuse_odd_paths
from sociolect.slurm.runs import Submitted, abandoned_runs, names_of
from sociolect.slurm.verdicts import explain, read_causes

PROBE = "sociolect-probe"
COMMANDS = ("sbatch", "srun", "squeue", "scontrol", "sinfo", "scancel")


@dataclass(frozen=True)
class Check:
    """One thing looked at: `ok`, `warn` or `FAIL`, what was found, and what to do."""

    what: str
    verdict: str
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Request:
    """A partition and what is asked of it: one probe job."""

    partition: str
    account: str = ""
    gpus: int = 0
    gpu_model: str = ""
    gres: str = ""
    constraint: str = ""
    qos: str = ""
    reservation: str = ""
    extra: str = ""

    def flags(self) -> list[str]:
        """Flags of sbatch, as the plugin writes them."""
        flags = [f"--partition={self.partition}"] if self.partition else []
        flags += [f"--account={self.account}"] if self.account else []
        flags += [f"--constraint={self.constraint}"] if self.constraint else []
        flags += [f"--qos={self.qos}"] if self.qos else []
        flags += [f"--reservation={self.reservation}"] if self.reservation else []
        flags += shlex.split(self.extra)
        if self.gres:
            return [*flags, f"--gres={self.gres}"]
        if self.gpus:
            flags.append(f"--gpus={self.gpu_model}:{self.gpus}" if self.gpu_model else f"--gpus={self.gpus}")
        return flags

    def __str__(self) -> str:
        gpu = self.gres or (f"{self.gpus} GPU {self.gpu_model}".strip() if self.gpus else "no GPU")
        return f"{self.partition or 'default partition'}, {gpu}" + (f", {self.constraint}" if self.constraint else "")


def requests_of(profile: dict[str, Any]) -> list[Request]:
    """The distinct requests of a profile: the default one, and those of rules that are sent elsewhere or name a GPU."""
    default = profile.get("default-resources") or {}
    site = {"qos": profile.get("slurm-qos", ""), "reservation": profile.get("slurm-reservation", "")}
    found = {_request({**site, **default}): None}
    for resources in (profile.get("set-resources") or {}).values():
        found[_request({**site, **default, **(resources or {})})] = None
    return list(found)


def _request(resources: dict[str, Any]) -> Request:
    def word(key: str) -> str:
        return str(resources.get(key) or "").strip("'\"")

    gpu_model, gres, constraint = word("gpu_model"), word("gres"), word("constraint")
    # how many is a fact of the rule, and 1; a profile sends a rule to a GPU partition for its GPU
    gpus = int(resources.get("gpu", 1 if gpu_model or constraint or "gpu" in word("slurm_partition").lower() else 0))
    return Request(
        word("slurm_partition"),
        word("slurm_account"),
        gpus,
        gpu_model,
        gres,
        constraint,
        word("qos"),
        word("reservation"),
        word("slurm_extra"),
    )


def check_environment(project: Path) -> Iterator[Check]:
    """The interpreter and its environment."""
    prefix = Path(sys.prefix)
    pins = [path for name in ("core", "dev") if (path := project / "envs" / f"{name}.txt").is_file()]
    # the same sum as in the Makefile and in job_env.sh
    summed = subprocess.run(["cksum"], input=b"".join(p.read_bytes() for p in pins), capture_output=True, check=True)
    if (prefix / f".pins-{summed.stdout.split()[0].decode()}").exists():
        yield Check("environment", "ok", f"{prefix}, made for these pins")
    elif list(prefix.glob(".pins-*")):
        yield Check("environment", "FAIL", f"{prefix} was made for other pins", "stop all runs, then make setup")
    elif prefix == project / ".venv":
        yield Check("environment", "FAIL", f"{prefix} has no stamp: it was never finished", "make setup")
    else:
        remedy = "see that nothing changes it while jobs run"
        yield Check("environment", "warn", f"{prefix} has no stamp: not made by make setup", remedy)
    real = os.path.realpath(sys.executable)
    local = real.startswith(("/tmp/", "/var/tmp/", "/dev/shm/"))
    remedy = "is that folder there on the nodes? the probe jobs below tell" if local else ""
    yield Check("interpreter", "warn" if local else "ok", f"{sys.executable} -> {real}", remedy)


def check_paths(project: Path, config: Path) -> Iterator[Check]:
    """Paths with characters that a submission cannot carry."""
    try:
        refuse_odd_paths(project, [config])
    except InputError as error:
        yield Check("paths", "FAIL", str(error), "rename it")


def check_slurm() -> Iterator[Check]:
    """The commands, the controller, the accounting, and how long the controller remembers."""
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if missing:
        remedy = "run this on a login node, with SLURM's module loaded"
        yield Check("SLURM commands", "FAIL", f"{', '.join(missing)} not on PATH", remedy)
        return
    yield Check("SLURM commands", "ok", (ask(["sbatch", "--version"]) or "?").strip())
    config = ask(["scontrol", "show", "config"])
    if config is None:
        yield Check("controller", "FAIL", "scontrol gets no answer", "try again later, or ask the admins")
        return
    facts = dict(re.findall(r"^(\w+)\s*= (.*)$", config, re.MULTILINE))
    yield Check("controller", "ok", facts.get("ClusterName", "answers"))
    found = re.match(r"\d+", facts.get("MinJobAge", ""))
    age = int(found.group()) if found else 0
    if ask(["sacct", "-n", "-X", "-S", "now-1hour"]) is not None:
        yield Check("accounting", "ok", f"sacct answers; the controller remembers ended jobs for {age} s")
        return
    remedy = f"make why knows less: run it within {age} s of a failure"
    yield Check("accounting", "warn", "sacct does not answer", remedy)
    if age < 300:
        remedy = "jobs that end between two looks are judged by the last line of their log"
        yield Check("memory of ended jobs", "warn", f"MinJobAge {age} s and no accounting", remedy)


def check_profile(requests: list[Request]) -> Iterator[Check]:
    """Account, partitions and GPU models of the profile are those of the site."""
    config = ask(["scontrol", "show", "config"]) or ""
    enforced = re.search(r"^AccountingStorageEnforce\s*=.*associations", config, re.MULTILINE) is not None
    listed = ask(["sacctmgr", "-n", "-P", "list", "assoc", f"user={getpass.getuser()}", "format=account"])
    accounts = set((listed or "").split())
    for account in sorted({request.account for request in requests if request.account}):
        good = account in accounts or not enforced
        found = f"{account}; yours: {', '.join(sorted(accounts)) or 'none listed'}"
        found += "" if enforced else "; the site does not enforce accounts"
        yield Check("account", "ok" if good else "FAIL", found, "" if good else "mend slurm_account in the site block")
    rows = [line.split("|") for line in (ask(["sinfo", "-h", "-o", "%R|%G"]) or "").splitlines()]
    partitions = {row[0] for row in rows}
    for request in requests:
        names = set(filter(None, request.partition.split(",")))
        gres = ", ".join(row[1] for row in rows if not names or row[0] in names)
        if not names <= partitions:
            found = f"no such partition; there are {', '.join(sorted(partitions))}"
            yield Check(str(request), "FAIL", found, "mend slurm_partition in the site block")
        elif request.gpu_model and f":{request.gpu_model}:" not in gres:
            found = f"no such GPU there; there are {gres}"
            yield Check(str(request), "FAIL", found, "mend gpu_model in the site block")


def check_models(models: ModelsSettings, folder: Path, configfile: Path) -> Iterator[Check]:
    """Snapshots of fetched models are there, or can be had; config and tokenizer of what is there are loaded once."""
    for name in ("sfam", "lm"):
        model = getattr(models, name)
        if model == "scratch":
            yield Check(f"model {name}", "ok", "trained by the run")
        elif (folder / name / "config.json").is_file():
            yield _loaded(name, folder / name, "delete it, and see that models." + name + " names another")
        elif isinstance(model, LocalModel) and Path(model.folder).is_dir():
            yield _loaded(name, Path(model.folder), f"mend models.{name}")
        else:
            network = "" if isinstance(model, GgufModel | LocalModel) else ", with a network"
            remedy = f"on this machine{network}: make run CONFIG={configfile} TARGET={folder / name}"
            yield Check(f"model {name}", "warn", f"{name_of(model)} is not fetched yet", remedy)


def check_server(config: Config) -> Iterator[Check]:
    """The server that describes, if one does and has not yet, is asked for a word."""
    server, done = config.description.server, Path("results") / config.run / "attributes" / "sentences.parquet"
    if config.backends["description"] != "server" or server is None or done.is_file():
        return
    found, _, remedy = (server_fault(server, os.environ, ask=True) or "").partition("; ")
    if found:
        yield Check("server that describes", "FAIL", found, remedy)
    else:
        yield Check("server that describes", "ok", f"{server.address}: {server.model} answers this machine")


def _loaded(name: str, folder: Path, remedy: str) -> Check:
    # imported here: a site whose models are trained by the run does not wait for transformers
    from sociolect.models.loading import check_loadable

    try:
        check_loadable(folder, name)
    except InputError as error:
        return Check(f"model {name}", "FAIL", str(error), remedy)
    return Check(f"model {name}", "ok", f"{folder}: config and tokenizer load")


def check_disk(project: Path) -> Iterator[Check]:
    """Room for results and logs."""
    room = os.statvfs(project)
    free, inodes = room.f_bavail * room.f_frsize / 1e9, room.f_favail
    low = free < 20 or 0 < inodes < 20000
    found = f"{free:.0f} GB and {inodes} inodes free at {project}"
    yield Check("disk", "warn" if low else "ok", found, "models, labels and generations want tens of GB" if low else "")


def check_records(state: Path) -> Iterator[Check]:
    """Bad nodes, and jobs of runs whose Snakemake is gone."""
    for bad in bad_nodes(state):
        found = f"{bad.node}, {(time.time() - bad.time) / 3600:.1f} h ago, job {bad.job}: {bad.reason}"
        remedy = f"kept out for a day; rm {state}/bad_nodes/{bad.node} lets it in"
        yield Check("bad node", "warn", found, remedy)
    names = [name for run in abandoned_runs(state) for name in names_of(run)]
    left = [job.job for job in (queue(names) or {}).values() if job.state not in FINAL]
    if left:
        remedy = f"scancel {' '.join(left)}; the next run does it, too"
        yield Check("left-over jobs", "warn", f"{len(left)} of runs that are over", remedy)


def judge_probe(what: str, where: str, said: str, log: Path) -> Check:
    """What a probe job that ended well has to say: a GPU that torch cannot use is of no use to any job."""
    gpus = re.search(r"GPUs given (\d+), usable (\d+)", said)
    if gpus is None:
        return Check(what, "FAIL", where, f"its program said nothing: read {log}")
    good = int(gpus[2]) >= int(gpus[1])
    remedy = f"torch cannot use the GPU: install its build for the site's driver (driver= in {log}) into .venv"
    return Check(what, "ok" if good else "FAIL", f"{where}, {said}", "" if good else remedy)


def probe(request: Request, project: Path, causes: Path, patience: float) -> Check:
    """Run one short job with the request, through the same checks as every job."""
    what = f"probe: {request}"
    folder = project / ".snakemake" / "sociolect" / "probes"
    folder.mkdir(parents=True, exist_ok=True)
    gpus = f"--gpus={request.gpus} " if request.gpus and not request.gres else ""
    script = (
        f"#!/bin/sh\n. profiles/slurm/job_env.sh && {sys.executable} -m snakemake --version && "
        f"srun -n1 --nodes=1 {gpus}{sys.executable} workflow/tools/probe_node.py\n"
    )
    command = ["sbatch", "--parsable", f"--job-name={PROBE}", f"--output={folder}/%j.log", f"--chdir={project}"]
    command += ["--nodes=1", "--ntasks=1", "--cpus-per-task=1", "--mem=2000", "--time=5", "--no-requeue"]
    command += request.flags()
    try:
        done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return Check(what, "FAIL", "sbatch did not answer within 120 s", "try again later, or ask the admins")
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [f"sbatch ended with {done.returncode}"])[-1]
        return Check(what, "FAIL", said, "mend the site block of the profile")
    job = done.stdout.strip().splitlines()[-1].split(";")[0]
    began = time.monotonic()
    step = None
    try:
        while time.monotonic() - began < patience:
            step = controller(job) or step
            if step is not None and step.state in FINAL:
                break
            time.sleep(1.0)
        queued = (queue([PROBE]) or {}).get(job)
    finally:
        if step is None or step.state not in FINAL:
            cancel([job])
    log = folder / f"{job}.log"
    waited = time.monotonic() - began
    if step is not None and step.state == "COMPLETED":
        found = re.findall(r"^\[probe\] (.*)$", log.read_text(errors="replace"), re.MULTILINE)
        return judge_probe(what, f"{step.node}, {waited:.0f} s", " ".join(found), log)
    sent = Submitted(job, PROBE, "probe", slurm_log=str(log), partition=request.partition)
    verdict = explain(gather(sent, queued), read_causes(causes))
    if step is None or step.state not in FINAL:
        return Check(what, "warn", f"not done after {waited:.0f} s: {verdict.title}", verdict.remedy)
    return Check(what, "FAIL", f"cause {verdict.cause}: {verdict.title}", verdict.remedy)
