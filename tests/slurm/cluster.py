"""A real SLURM cluster on this machine for the tests: three nodes with fake GPUs, accounting and memory limits.

Nothing of SLURM is imitated: slurmctld, three slurmd, slurmdbd on MariaDB and munge run from the distribution's
packages. All they write lies under one folder. Outside of it are only four links in /etc/slurm (a job's inner srun
drops SLURM_CONF and reads the default place) and munge's socket in /run/munge (slurmdbd knows no other).
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

NODES = ("node01", "node02", "node03")
PORTS = {"controller": 16817, "dbd": 16819, "database": 16306, "node01": 16821, "node02": 16822, "node03": 16823}
UNFINISHED = {"PENDING", "RUNNING", "COMPLETING", "REQUEUED", "RESIZING", "SUSPENDED"}  # states of a job
USABLE = {"idle", "mixed", "allocated", "completing"}  # states of a node that answers and takes jobs

_PACKAGES = "slurmctld slurmd slurm-client slurmdbd munge mariadb-server-core mariadb-client-core"
_PROGRAMS = "slurmctld slurmd slurmdbd sbatch munged mariadbd mariadb-install-db my_print_defaults unshare setsid"
_SYSTEM, _CONF = Path("/etc/slurm"), ("slurm.conf", "gres.conf", "cgroup.conf", "slurmdbd.conf")
_ETC = "sociolect-test-cluster"  # this folder's name in a link's target says whose the link is, even a dangling one
_MUNGE = Path("/run/munge/munge.socket.2")
_CGROUPS = Path("/sys/fs/cgroup")
_DAEMONS = (*(f"slurmd.{node}" for node in NODES), "slurmctld", "slurmdbd", "mariadbd", "munged")  # as they are stopped

_SLURM_CONF = """\
ClusterName=testcluster
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[controller]}
SlurmUser=root
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/pid/slurmctld.pid
SlurmdPidFile={root}/pid/slurmd.%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd.%n.log
TaskProlog={etc}/task_prolog
Epilog={etc}/epilog
MailProg=/bin/true
# a node's size is what this file says, not what the machine has
SlurmdParameters=config_overrides
# a node that a test set down stays down until it is resumed
ReturnToService=1
{limits}
JobAcctGatherFrequency=task=1
SelectType=select/cons_tres
# the least loaded node first, so that jobs spread
SelectTypeParameters=CR_Core_Memory,CR_LLN
GresTypes=gpu
# a job starts at once, not at the next round in half a minute
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,sched_interval=2,bf_interval=2,bf_resolution=10
MinJobAge=300
KillWait=2
UnkillableStepTimeout=20
SlurmctldTimeout=30
SlurmdTimeout=30
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports[dbd]}
AccountingStoreFlags=job_comment
AccountingStorageTRES=gres/gpu,gres/gpu:a100,gres/gpu:h100
NodeName=DEFAULT CPUs=8 CoresPerSocket=8 RealMemory=64000
NodeName=node01 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[node01]} Feature=a100 Gres=gpu:a100:2
NodeName=node02 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[node02]} Feature=h100 Gres=gpu:h100:2
NodeName=node03 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[node03]} Feature=cpu
PartitionName=DEFAULT MaxTime=24:00:00 DefMemPerCPU=500
PartitionName=cpu Nodes=ALL Default=YES
PartitionName=gpu Nodes=node01,node02
# nowhere else to go
PartitionName=solo Nodes=node03
"""
_GRES_CONF = """\
AutoDetect=off
NodeName=node01 Name=gpu Type=a100 File={root}/dev/nvidia[0-1]
NodeName=node02 Name=gpu Type=h100 File={root}/dev/nvidia[0-1]
"""
_LIMITS = {
    "cgroup": "ProctrackType=proctrack/cgroup\nTaskPlugin=task/cgroup\nJobAcctGatherType=jobacct_gather/cgroup",
    "linux": "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/linux\n"
    "JobAcctGatherParams=OverMemoryKill",
}
_CGROUP_CONF = """\
CgroupPlugin=cgroup/v1
ConstrainRAMSpace={constrain}
"""
_SLURMDBD_CONF = """\
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={ports[dbd]}
CommunicationParameters=NoInAddrAny
SlurmUser=root
LogFile={root}/log/slurmdbd.log
PidFile={root}/pid/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports[database]}
StorageUser=slurm
StoragePass={password}
"""
_MARIADB_CNF = """\
[mariadbd]
user=root
datadir={root}/database
socket={root}/database/socket
pid-file={root}/pid/mariadbd.pid
log-error={root}/log/mariadbd.log
bind-address=127.0.0.1
port={ports[database]}
skip-name-resolve
innodb-buffer-pool-size=64M
innodb-log-file-size=16M
innodb-flush-log-at-trx-commit=0
"""
_DATABASE_SQL = """\
CREATE OR REPLACE USER 'slurm'@'127.0.0.1' IDENTIFIED BY '{password}';
GRANT ALL ON slurm_acct_db.* TO 'slurm'@'127.0.0.1';
"""
_TASK_PROLOG = """\
#!/bin/sh
cat "{etc}/$SLURMD_NODENAME.env" 2>/dev/null
exit 0
"""
_EPILOG = """\
#!/bin/sh
while [ -e "{etc}/epilog_holds" ]; do sleep 0.2; done
"""


class ClusterError(RuntimeError):
    """The cluster did not do what it was asked to."""


class Cluster:
    """Starts, stops and disturbs the cluster. `root` needs a short path: unix sockets lie in it."""

    def __init__(self, root: Path, memory_kind: str | None = None) -> None:
        self.root = root.resolve()
        self._etc = self.root / _ETC
        self._memory_kind = memory_kind
        self._lock: IO[str] | None = None
        self._changed: set[str] = set()

    # ---- start and stop

    @staticmethod
    def missing() -> str | None:
        """Why this machine cannot have the cluster, and what to do about it, in one line; None if it can."""
        if os.geteuid() != 0:
            return "the test cluster needs root: run the tests as root in a container or virtual machine"
        if lacking := [name for name in _PROGRAMS.split() if not shutil.which(name, path=environment()["PATH"])]:
            return f"no {', '.join(lacking)}: apt-get install --no-install-recommends {_PACKAGES}"
        for link in (_SYSTEM / name for name in _CONF):
            if os.path.lexists(link) and not _is_ours(link):
                return f"{link} belongs to another cluster: run the tests on a machine without SLURM"
        other = _linked_root()
        if other and _locked(other):
            return f"another test run is using the test cluster in {other}: wait until it has ended"
        if not other and _answers(_MUNGE):
            return f"another munged answers at {_MUNGE}: run the tests on a machine without munge"
        probe = ["unshare", "--mount", "--uts", "--propagation", "private", "hostname", "localhost"]
        if subprocess.run(probe, capture_output=True, timeout=10).returncode:
            return "mount and UTS namespaces are not permitted: run the tests in a virtual machine or with --privileged"
        return None

    @property
    def memory_kind(self) -> str:
        """Who limits a job's memory: "cgroup", the kernel, or "linux", slurmd, which looks every second and kills."""
        if self._memory_kind is None:
            tasks = (_CGROUPS / name / "tasks" for name in ("memory", "freezer", "cpuacct"))
            self._memory_kind = "cgroup" if all(os.access(path, os.W_OK) for path in tasks) else "linux"
        return self._memory_kind

    def start(self) -> None:
        """Start all daemons and return when the nodes are idle. A crashed test run's cluster is stopped first."""
        if self._lock:
            return
        if reason := self.missing():
            raise ClusterError(reason)
        if stale := _linked_root():
            Cluster(stale).stop()
        for port in PORTS.values():
            if _answers(("127.0.0.1", port)):
                raise ClusterError(f"port {port} is taken: is another cluster running on this machine?")
        try:
            self._write_configuration()
            self._start_munge()
            self._start_database()
            self.start_database_daemon()
            self._launch("slurmctld")
            for node in NODES:
                self._launch(f"slurmd.{node}", "-N", node)
            self._until_runs("scontrol", "ping")
            self.wait_idle(20)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the jobs, then the daemons by the pids they wrote, and remove what lies outside of the folder."""
        if self._pid("slurmctld"):
            with suppress(ClusterError, subprocess.TimeoutExpired):
                self.cancel_all()
                self._until("the queue is empty", lambda: not self.jobs(), 10)
        for daemon in _DAEMONS:
            self._end(daemon)
        self._end_steps()
        for link in (_SYSTEM / name for name in _CONF):
            if link.is_symlink() and link.readlink() == self._etc / link.name:
                link.unlink()
        for group in (group for node in NODES for group in _CGROUPS.glob(f"*/slurm_{node}")):
            for path, _, _ in os.walk(group, topdown=False):
                with suppress(OSError):
                    os.rmdir(path)
        if self._lock:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def tidy(self) -> None:
        """Undo what a test left: daemons stopped, nodes changed or drained, jobs. Cheap if there is nothing."""
        if not self._pid("slurmdbd"):
            self.start_database_daemon()
        if not self._pid("slurmctld"):
            self.start_controller()
        self.epilog_holds.unlink(missing_ok=True)
        self.cancel_all()
        for node in NODES:
            if node in self._changed or not self._pid(f"slurmd.{node}"):
                self.restore_node(node)
            self.resume(node)
        self.wait_idle()

    # ---- disturbances

    @property
    def task_prolog(self) -> Path:
        """The script that runs before every task; a node can be given another one by a mount."""
        return self._etc / "task_prolog"

    @property
    def epilog_holds(self) -> Path:
        """While this file is there, nodes clean up behind their jobs: the jobs stay COMPLETING."""
        return self._etc / "epilog_holds"

    def restart_node(self, node: str, mounts: Sequence[str] = (), env: dict[str, str] | None = None) -> None:
        """Start a node's slurmd anew, so that its jobs see other mounts or have other variables.

        `mounts` are shell commands such as `mount -t tmpfs none /some/folder`, run in a mount namespace of the node's
        own; they must not hide the cluster's folder. `env` overrides what a job brings along, by the task prolog: of
        slurmd's own environment a job sees nothing.
        """
        self._end(f"slurmd.{node}")
        self._changed.add(node)
        lines = "".join(f"export {name}={value}\n" for name, value in (env or {}).items())
        (self._etc / f"{node}.env").write_text(lines)
        since = int(time.time())
        self._launch(f"slurmd.{node}", "-N", node, mounts=mounts)

        def registered() -> bool:
            shown = re.search(r"SlurmdStartTime=(\d\S+)", self.run("scontrol", "show", "node", node, "--oneliner"))
            return shown is not None and time.mktime(time.strptime(shown[1], "%Y-%m-%dT%H:%M:%S")) >= since

        self._until(f"{node} registers", registered, 30)
        self.resume(node)

    def restore_node(self, node: str) -> None:
        """Give a node its ordinary slurmd again and make it idle."""
        self.restart_node(node)
        self._changed.discard(node)

    @contextmanager
    def changed_node(self, node: str, mounts: Sequence[str] = (), env: dict[str, str] | None = None) -> Iterator[None]:
        """A node with mounts and variables of its own (see restart_node) for as long as the block runs."""
        try:
            self.restart_node(node, mounts, env)
            yield
        finally:
            self.restore_node(node)

    def drain(self, node: str) -> None:
        """Let a node's jobs end and give it no new ones."""
        self.run("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")

    def down(self, node: str) -> None:
        """Call a node dead: its jobs are requeued, or end as NODE_FAIL if they may not be."""
        self.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test")

    def resume(self, node: str) -> None:
        """Take a drained or dead node back and wait until it takes jobs."""
        if self.nodes()[node].startswith(("drain", "down")):
            self.run("scontrol", "update", f"nodename={node}", "state=resume")
        self._until(f"{node} is back", lambda: self.nodes()[node] in USABLE, 20)

    def kill_controller(self, saved: bool = True) -> None:
        """Kill slurmctld as a crash would: jobs run on, and nobody answers squeue or sbatch.

        With `saved` not before it has saved its state, up to five seconds after a change: otherwise it does not know
        the newest jobs again, and gives their ids out once more.
        """
        state = self.root / "state/job_state"
        before = state.stat().st_mtime_ns if state.exists() else 0
        if saved and self.jobs():
            with suppress(ClusterError):
                self._until("state saved", lambda: state.exists() and state.stat().st_mtime_ns != before, 6)
        self._end("slurmctld", signal.SIGKILL)

    def start_controller(self) -> None:
        """Start slurmctld on the state that the last one saved, and wait until all nodes have answered it."""
        self._launch("slurmctld")
        self._until_runs("scontrol", "ping")
        self._until("the nodes answer", lambda: not re.search(r"\*|unk", " ".join(self.nodes().values())), 30)

    def stop_database_daemon(self) -> None:
        """Stop slurmdbd: sacct fails, everything else goes on."""
        self._end("slurmdbd")

    def start_database_daemon(self) -> None:
        """Start slurmdbd and wait until it answers."""
        self._launch("slurmdbd")
        self._until_runs("sacctmgr", "-n", "list", "cluster")

    # ---- jobs

    def run(self, *command: str, timeout: float = 30, check: bool = True) -> str:
        """What a command prints, in an environment without variables of SLURM or CUDA."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment())
        if check and done.returncode:
            raise ClusterError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}{done.stdout}")
        return done.stdout

    def submit(self, script: str, *options: str) -> int:
        """Submit shell lines as a job and return its id."""
        output = f"--output={self.root}/jobs/%j.txt"
        return int(self.run("sbatch", "--parsable", "--chdir=/", output, *options, "--wrap", script))

    def output(self, job: int) -> str:
        """What a job that was started by `submit` has written until now."""
        path = self.root / "jobs" / f"{job}.txt"
        return path.read_text() if path.exists() else ""

    def wait_job(self, job: int, timeout: float = 60) -> None:
        """Wait until a job has left the queue."""
        self._until(f"job {job} has ended", lambda: str(job) not in self._queued(), timeout)

    def jobs(self) -> list[dict[str, str]]:
        """The queue: jobs that wait, run or are being cleaned up."""
        columns = {"JobID": "%i", "Name": "%j", "State": "%T", "Partition": "%P", "NodeList": "%N", "Reason": "%r"}
        lines = self.run("squeue", "-h", "-o", "\x1f".join(columns.values())).splitlines()
        return [dict(zip(columns, line.split("\x1f"), strict=True)) for line in lines]

    def nodes(self) -> dict[str, str]:
        """Each node's state as sinfo says it: idle, mixed, drained, down*, ..."""
        return dict(line.split() for line in self.run("sinfo", "-h", "-N", "-o", "%N %T").splitlines())

    def sacct(self, job: int | str, *fields: str, timeout: float = 15) -> list[dict[str, str]]:
        """The accounting's rows of an ended job and all its steps: JobID, State, Partition and the named fields.

        Waits until all are in a final state and complete: of a job that ended within five seconds the accounting knows
        the end first, and what was asked for (partition, memory, TRES) some seconds later.
        """
        names = ("JobID", "State", "Partition", *fields)
        rows: list[dict[str, str]] = []

        def final() -> bool:
            command = ("sacct", "-n", "-P", "--delimiter=\x1f", "-j", str(job), f"--format={','.join(names)}")
            rows[:] = [dict(zip(names, line.split("\x1f"), strict=True)) for line in self.run(*command).splitlines()]
            return bool(rows and rows[0]["Partition"]) and all(row["State"] not in UNFINISHED for row in rows)

        self._until(f"job {job} has ended in the accounting", final, timeout, pause=0.3)
        return rows

    def alloc_tres(self, job: int | str) -> str:
        """What an ended job was given, as `billing=1,cpu=1,gres/gpu:a100=1,...`."""
        return self.sacct(job, "AllocTRES")[0]["AllocTRES"]

    def cancel_all(self) -> None:
        """Cancel every job."""
        if queued := self._queued():
            self.run("scancel", *queued)

    def wait_idle(self, timeout: float = 30) -> None:
        """Wait until no job is in the queue and all nodes are idle."""
        self._until("the cluster is idle", lambda: not self.jobs() and set(self.nodes().values()) == {"idle"}, timeout)

    # ---- the parts

    def _queued(self) -> set[str]:
        """Ids of the jobs in the queue; an array is one job."""
        return {row["JobID"].partition("_")[0] for row in self.jobs()}

    def _write_configuration(self) -> None:
        for name in (_ETC, "log", "pid", "state", "munge", "database", "dev", "jobs", *(f"spool/{n}" for n in NODES)):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        self._lock = (self.root / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for gpu in (0, 1):
            # slurmd drops a GPU whose file is no character device, though nobody opens it
            with suppress(FileExistsError):
                os.mknod(self.root / f"dev/nvidia{gpu}", 0o600 | stat.S_IFCHR, os.makedev(195, gpu))
        values = {"root": self.root, "etc": self._etc, "ports": PORTS, "password": secrets.token_hex(16)}
        values["limits"] = _LIMITS[self.memory_kind]
        values["constrain"] = "yes" if self.memory_kind == "cgroup" else "no"
        texts = (_SLURM_CONF, _GRES_CONF, _CGROUP_CONF, _SLURMDBD_CONF, _MARIADB_CNF, _DATABASE_SQL, _TASK_PROLOG)
        names = (*_CONF, "mariadb.cnf", "database.sql", "task_prolog", "epilog")
        for name, text in zip(names, (*texts, _EPILOG), strict=True):
            path = self._etc / name
            path.touch()
            path.chmod(0o755 if name in ("task_prolog", "epilog") else 0o600)
            path.write_text(text.format_map(values))
        _SYSTEM.mkdir(exist_ok=True)
        for name in _CONF:
            (_SYSTEM / name).symlink_to(self._etc / name)

    def _start_munge(self) -> None:
        _MUNGE.parent.mkdir(mode=0o755, exist_ok=True)
        key = self.root / "munge/key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        files = [f"--key-file={key}", f"--seed-file={self.root}/munge/seed"]
        files += [f"--log-file={self.root}/log/munged.log", f"--pid-file={self.root}/pid/munged.pid"]
        self._launch("munged", "--force", "--num-threads=2", *files)
        self._until_runs("munge", "-n")

    def _start_database(self) -> None:
        defaults = f"--defaults-file={self._etc}/mariadb.cnf"
        if not (self.root / "database/mysql").exists():
            self.run("mariadb-install-db", defaults, "--skip-test-db", timeout=120)
        accounts = f"--init-file={self._etc}/database.sql"
        self._launch("mariadbd", defaults, accounts, before=("setsid", "--fork"))
        self._until("mariadbd answers", lambda: _answers(("127.0.0.1", PORTS["database"])), 30)

    def _launch(self, daemon: str, *options: str, mounts: Sequence[str] = (), before: Sequence[str] = ()) -> None:
        """Start a daemon that goes into the background by itself, and wait until it has written its pid.

        It takes its host to be "localhost", in a UTS namespace of its own: SLURM listens where the host's name points.
        """
        script = "\n".join(["set -e", "exec </dev/null", "hostname localhost", *mounts, 'exec "$@"'])
        namespaces = ["--uts", "--mount", "--propagation", "private"] if mounts else ["--uts"]
        command = ["unshare", *namespaces, "sh", "-c", script, "sh", *before, daemon.partition(".")[0], *options]
        try:
            with (self.root / "log" / f"{daemon}.out").open("w+") as out:  # a pipe would stay open with the daemon
                if subprocess.run(command, stdout=out, stderr=out, cwd="/", env=environment(), timeout=30).returncode:
                    out.seek(0)
                    raise ClusterError(f"{daemon} did not start: {out.read()}")
            self._until(f"{daemon} runs", lambda: self._pid(daemon), 20, pause=0.02)
        except KeyboardInterrupt:
            with suppress(ClusterError):  # it may run already, and `stop` finds it by its pid only
                self._until(f"{daemon} runs", lambda: self._pid(daemon), 2, pause=0.02)
            raise

    def _pid(self, daemon: str) -> int | None:
        """The pid that a daemon wrote, if it is that daemon's still."""
        with suppress(OSError, ValueError):
            pid = int((self.root / "pid" / f"{daemon}.pid").read_text())
            if _program(pid) == daemon.partition(".")[0]:
                return pid
        return None

    def _end(self, daemon: str, first: signal.Signals = signal.SIGTERM) -> None:
        for number in (first, signal.SIGKILL):
            if pid := self._pid(daemon):
                with suppress(ProcessLookupError, ClusterError):
                    os.kill(pid, number)
                    self._until(f"{daemon} has ended", lambda: not self._pid(daemon), 15, pause=0.02)
        (self.root / "pid" / f"{daemon}.pid").unlink(missing_ok=True)

    def _end_steps(self) -> None:
        """Kill the jobs that are left: this cluster's slurmstepd's (they work in its log folder) and their children."""
        children: dict[int, list[int]] = {}
        doomed = []
        for pid in (int(path.name) for path in Path("/proc").glob("[0-9]*")):
            with suppress(OSError):
                parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
                children.setdefault(int(parent), []).append(pid)
                if _program(pid).startswith("slurmstepd") and Path(f"/proc/{pid}/cwd").readlink() == self.root / "log":
                    doomed.append(pid)
        for pid in doomed:
            doomed += children.get(pid, [])
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _until_runs(self, *command: str) -> None:
        self._until(f"{command[0]} succeeds", lambda: [self.run(*command, timeout=10)], 30)

    def _until(self, what: str, holds: Callable[[], object], timeout: float, pause: float = 0.1) -> None:
        """Wait for what `holds` tells; an error of a command that it runs means not yet."""
        end = time.monotonic() + timeout
        error: Exception | str = ""
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except (ClusterError, subprocess.TimeoutExpired) as failed:
                error = failed
            time.sleep(pause)
        logs = sorted(self.root.glob("log/*.log"))
        tails = [f"--- {path.name}\n{path.read_text(errors='replace')[-800:]}" for path in logs]
        raise ClusterError("\n".join([f"not within {timeout} s: {what}", str(error), *tails]))


def environment() -> dict[str, str]:
    """This process's environment for commands that submit: nothing of an outer SLURM job or its GPUs goes along."""
    outer = re.compile(r"(SLURM|SBATCH|SRUN|SQUEUE|SCANCEL|SINFO|SACCT|CUDA)_")
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin"
    return {name: value for name, value in os.environ.items() if not outer.match(name)} | {"PATH": path}


def _program(pid: int) -> str:
    """The name under which a process runs; empty if there is none or it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace").rpartition("/")[2]
    return ""


def _is_ours(link: Path) -> bool:
    return link.is_symlink() and link.readlink().parent.name == _ETC


def _linked_root() -> Path | None:
    """The folder of the test cluster that the links in /etc/slurm point to, running or crashed."""
    return next((link.readlink().parents[1] for name in _CONF if _is_ours(link := _SYSTEM / name)), None)


def _locked(root: Path) -> bool:
    """Whether a living test run holds this cluster; the lock goes with the process that took it."""
    try:
        with (root / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _answers(address: Path | tuple[str, int]) -> bool:
    """Whether somebody listens on a unix socket or a port."""
    with socket.socket(socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET) as client:
        client.settimeout(2)
        return client.connect_ex(str(address) if isinstance(address, Path) else address) == 0
