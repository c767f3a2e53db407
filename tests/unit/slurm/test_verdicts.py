"""The table of causes: what was seen on a cluster leads to the cause that was behind it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sociolect.common.errors import InputError
from sociolect.slurm.commands import QueuedJob, Step
from sociolect.slurm.evidence import Evidence, gather
from sociolect.slurm.history import CAUSES
from sociolect.slurm.runs import Submitted
from sociolect.slurm.verdicts import Verdict, explain, fold_bad_nodes, read_causes

TABLE = read_causes(CAUSES)
JOB = Submitted("17", "run", "label_answers", "texts=single", slurm_log="s/17.log", log="r.log", partition="gpu")
START = "[start] job=17 rule=label_answers node=node02\n"
PROGRAM = "[start] program=label_answers job=17 node=node02 pid=1 python=/env/bin/python gpus=0\n"
DUMP = (
    PROGRAM
    + """Timeout (0:15:00)!
Thread 0x00007f (most recent call first):
  File "/env/lib/python3.11/site-packages/torch/_C.py", line 3 in <module>
  File "<frozen importlib._bootstrap>", line 241 in _call_with_frames_removed
  File "/env/lib/python3.11/site-packages/torch/__init__.py", line 9 in <module>
  File "/shared/workflow/scripts/label_answers.py", line 9 in <module>
"""
)
# what the two Snakemakes of a job print round a rule's shell that fails
STEP = """SNAKEMAKE
=========
  Host: node02
Building DAG of jobs...
Execute 1 jobs...

localrule label_answers:
    output: out/a.txt
    jobid: 0
{printed}RuleException:
CalledProcessError in file "/p/Snakefile", line 9:
Command 'set -euo pipefail;  false' returned non-zero exit status {code}.
[Sat Nov 28 10:32:13 2026]
Error in rule label_answers:
    message: None
Exiting because a job execution failed. Look above for error messages
WorkflowError:
At least one job did not complete successfully.
srun: error: node02: task 0: Exited with exit code 1
Error in rule label_answers:
    message: None
WorkflowError:
At least one job did not complete successfully.
[end] job=17 rc=1 seconds=23
"""


def failed(slurm_log: str | None = START, rule_log: str | None = None, **facts: object) -> Evidence:
    facts = {"state": "FAILED", "exit_code": "1:0", "node": "node02", **facts}
    return Evidence(JOB, slurm_log=slurm_log, rule_log=rule_log, **facts)  # type: ignore[arg-type]


def step(state: str, code: str = "0:0") -> tuple[Step, ...]:
    return (Step("17.0", state, code, "node02", 1, 3, "", ""),)


CASES = {
    "A preflight": (failed(START + "[preflight 92] 2 nodes (node[01-02]) for a job that lives on one"), "A", "2 nodes"),
    "A srun": (failed("srun: error: Invalid generic resource (gres) specification"), "A", "several nodes"),
    "B": (
        failed("srun: Job 17 step creation temporarily disabled, retrying", state="RUNNING"),
        "B",
        "srun inside the rule",
    ),
    "C stamp": (failed(START + "[preflight 94] /env has not the stamp .pins-1"), "C", "stamp"),
    "C module": (failed(rule_log=PROGRAM + "ModuleNotFoundError: No module named 'torch'\n"), "C", "torch"),
    # found when the import looked, gone when it opened the file: an install is under way
    "C half": (
        failed(rule_log=PROGRAM + "FileNotFoundError: [Errno 2] No such file: '/e/lib/site-packages/last/a.py'\n"),
        "C",
        "site-packages/last/a.py",
    ),
    "C pip": (failed(rule_log="ERROR: No matching distribution found for numpy\n"), "C", "pip install"),
    "D": (
        failed(START + "[preflight 91] /env/bin/python is a link to /opt/py, which is not on node02"),
        "D",
        "/opt/py",
    ),
    "E": (failed(None, exit_code="0:53"), "E", "no log at all"),
    "F": (failed(rule_log="error: wrong Python: /usr/bin/python3 runs this, which has not; write"), "F", "/usr/bin"),
    "G": (failed(START.strip() + " export=NONE\nbash: line 1: module: command not found"), "G", "environment"),
    "H state": (failed(steps=step("OUT_OF_MEMORY"), memory="60M"), "H", "60M"),
    "H log": (failed(START + "slurmstepd: error: Detected 1 oom_kill event in StepId=17.0"), "H", "oom_kill"),
    "I": (failed(rule_log="OSError: [Errno 98] Address already in use"), "I", "port"),
    "J": (failed(rule_log="error: x: LocalEntryNotFoundError: outgoing traffic has been disabled"), "J", "network"),
    "K held": (failed(None, state="PENDING", reason="JobHeldUser", node=""), "K", "held by its user"),
    "K drained": (
        failed(None, state="PENDING", reason="ReqNodeNotAvail, UnavailableNodes:node02", node=""),
        "K",
        "down, drained",
    ),
    "K never": (failed(None, state="PENDING", reason="PartitionTimeLimit", node=""), "K", "can never start"),
    "K line": (failed(None, state="PENDING", reason="Priority", node=""), "K", "in line"),
    "L preflight": (failed(START + "[preflight 93] /tmp has 3 MB free, wanted 200"), "L", "3 MB"),
    "L disk": (failed(rule_log="OSError: [Errno 28] No space left on device"), "L", "disk full"),
    # a job that its time limit ends has a step that was cancelled: nobody cancelled the job
    "M": (failed(rule_log="", state="TIMEOUT", steps=step("CANCELLED")), "M", "still in a buffer"),
    "N": (
        failed(rule_log=PROGRAM + "error: no GPU for a program that needs one: wanted 1, SLURM shows 0; x"),
        "N",
        "0",
    ),
    "O": (failed(state="CANCELLED", state_said="CANCELLED by 1000"), "O", "by 1000"),
    "P": (failed("srun: error: Could not establish a configuration source"), "P", "no SLURM configuration"),
    "Q": (failed(rule_log=DUMP), "Q", "label_answers.py, line 9"),
    "R": (failed(rule_log=PROGRAM + "RuntimeError: CUDA error: no kernel image is available"), "R", "CUDA"),
    "R build": (
        failed(rule_log="error: SLURM gave a GPU, torch cannot use it: torch 2 is built for no CUDA: a CPU build; x"),
        "R",
        "CPU build",
    ),
    "H GPU": (failed(rule_log="torch.OutOfMemoryError: CUDA out of memory. Tried to"), "H", "batch_tokens"),
    "D typo": (failed(rule_log="bash: line 1: pyton: command not found"), "D", "pyton"),
    "no E": (failed(rule_log="python: can't open file 'x.py': [Errno 2]", exit_code="2:0"), "AF", "can't open"),
    "time limit": (failed(rule_log=PROGRAM + "12:00 pairs 3/9", state="TIMEOUT"), "T", "pairs 3/9"),
    "program": (failed(rule_log=PROGRAM + "error: a.parquet: no such file"), "X", "a.parquet"),
    "stuck": (
        failed(
            rule_log=PROGRAM,
            state="RUNNING",
            now=1000.0,
            beat={"stage": "model", "time": 100.0, "limit_s": 300, "job": "17"},
        ),
        "W",
        "15 min in stage model",
    ),
    "forgotten": (failed(None, state="LOST"), "Y", "forgotten"),
    "D incomplete": (failed(START + "/env/bin/python: No module named snakemake"), "D", "incomplete on node02"),
    "prolog": (failed(START + "slurmstepd: error: TaskProlog failed status=1"), "AH", "prolog"),
    "I/O": (failed(rule_log="cat: x: Input/output error"), "AI", "Input/output error"),
    "stale": (failed(rule_log="OSError: [Errno 116] Stale file handle: 'x'"), "AI", "Stale file handle"),
    "SIGILL": (failed(START + "bash: line 1: 7 Illegal instruction (core dumped)"), "AA", "Illegal instruction"),
    "R device": (
        failed(
            START + "[start] job=17 gpus=1 cuda=NoDevFiles cpus=1\n" + "error: no GPU for a program that needs one: w"
        ),
        "R",
        "whose device is not there",
    ),
    "L full": (failed(None, exit_code="0:53", state_said="FAILED while the disk was full"), "L", "quota was full"),
    "K suspended": (failed(state="SUSPENDED", now=1e9, beat={"stage": "model", "time": 1.0}), "K", "do not cancel"),
    "K completing": (failed(state="COMPLETING"), "K", "cleaning up"),
    "K dependency": (failed(None, state="PENDING", reason="DependencyNeverSatisfied", node=""), "K", "never starts"),
    "K config": (failed(None, state="PENDING", reason="PartitionConfig", node=""), "K", "can never start"),
    "H killed": (failed(rule_log=PROGRAM + "error: killed by SIGKILL in stage model", memory="2G"), "H", "job (2G)"),
    "AA segv": (failed(rule_log=PROGRAM + "error: killed by SIGSEGV in stage imports"), "AA", "stage imports: a lib"),
    "AA ill": (failed(rule_log=PROGRAM + "error: killed by SIGILL in stage imports"), "AA", "CPU of node02"),
    "AA bus": (failed(rule_log=PROGRAM + "error: killed by SIGBUS in stage model"), "AA", "/dev/shm"),
    "AA abort": (failed(rule_log=PROGRAM + "error: killed by SIGABRT in stage model"), "AA", "SIGABRT"),
    # where the disk of the results is full, it is no node's fault
    "L bus": (
        failed(START + "[room] results=0 MB project=9 MB tmp=9 MB", PROGRAM + "error: killed by SIGBUS in stage model"),
        "L",
        "results folder is full",
    ),
    "L room": (failed(START + "[room] results=- MB project=9 MB tmp=9 MB\nsomething odd"), "?", "something odd"),
    "L quota": (failed(rule_log="OSError: [Errno 122] Disk quota exceeded: '/p/x'"), "L", "quota -s"),
    "L read-only": (failed(rule_log="OSError: [Errno 30] Read-only file system: '/p/x'"), "L", "srun -w node02 mount"),
    "AB preflight": (
        failed(START + "[preflight 96] LD_LIBRARY_PATH=/sw/lib, with it python does not"),
        "AB",
        "/sw/lib",
    ),
    "AB file": (
        failed(rule_log=PROGRAM + "ImportError: /sw/lib/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (by x.so)"),
        "AB",
        "/sw/lib/libstdc++.so.6",
    ),
    "AB symbol": (
        failed(rule_log=PROGRAM[:-1] + " LD_LIBRARY_PATH=/sw/lib\nImportError: /env/x.so: undefined symbol: foo"),
        "AB",
        "/sw/lib",
    ),
    "AB loader": (
        failed(START + "python: error while loading shared libraries: libz.so.1: file too short"),
        "AB",
        "libz",
    ),
    "AB module": (
        failed(rule_log=PROGRAM + 'Traceback\n  File "/sw/py/numpy/__init__.py", line 3, in <module>\nImportError: no'),
        "AB",
        "/sw/py/numpy/__init__.py",
    ),
    # the environment's own faults stay its own
    "C symbol": (failed(rule_log=PROGRAM + "ImportError: /env/x.so: undefined symbol: foo"), "C", "undefined symbol"),
    "C frames": (
        failed(
            rule_log=PROGRAM + '  File "/env/lib/python3.11/site-packages/a.py", line 3, in <module>\nImportError: no'
        ),
        "C",
        "ImportError: no",
    ),
    "AC": (failed(rule_log=PROGRAM + "error: x: PermissionError: [Errno 13] Permission denied: '/p/x'"), "AC", "/p/x"),
    "AD files": (failed(rule_log=PROGRAM + "OSError: [Errno 24] Too many open files: '/p'"), "AD", "ulimit -n"),
    "AD threads": (failed(rule_log=PROGRAM + "RuntimeError: can't start new thread"), "AD", "ulimit -u"),
    "H ulimit": (failed("[start] job=17 memory_kb=400000 export=ALL\n", "MemoryError\n"), "H", "-v 400000 kB"),
    "AE": (failed(START + "srun: fatal: cannot create launch context for launch/slurm\n"), "AE", "launch context"),
    "AF shell": (failed(START + STEP.format(printed="", code=3)), "AF", "exit status 3"),
    "AF module": (failed(rule_log="/env/bin/python: No module named nowhere\n"), "AF", "No module named nowhere"),
    "printed": (failed(START + STEP.format(printed="something odd\n", code=3)), "?", "something odd"),
    "AG": (failed(state="COMPLETED", missing="out/a.txt"), "AG", "out/a.txt is not here"),
    "J here": (
        failed(rule_log="error: https://h: cannot fetch a/b (ConnectError: Name or service not known); see"),
        "J",
        "https_proxy",
    ),
    "unknown": (failed(START + "something odd"), "?", "something odd"),
}


@pytest.mark.parametrize("name", CASES)
def test_evidence_leads_to_its_cause(name: str) -> None:
    evidence, cause, words = CASES[name]
    verdict = explain(evidence, TABLE)
    assert verdict.cause == cause, verdict.line()
    assert words in verdict.line()
    assert verdict.remedy and "{" not in verdict.line() and "\n" not in verdict.line()
    assert verdict.line().startswith("label_answers [texts=single]: job 17, attempt 1, on ")


TRACEBACK = 'Traceback (most recent call last):\n  File "/env/lib/python3.11/site-packages/a.py", line 5, in f\n'
OWN = "error: labels.parquet: column style is missing; run label_answers again\n"
IPV6 = (
    "[W socket.cpp:697] [c10d] The IPv6 network addresses of (n1, 40123) cannot be retrieved (gai error: -2 - Name or "
    "service not known).\n"
)
# lines that are causes where nothing else is said, and no cause of a job that says why it ended
HARMLESS = {
    "c10d": IPV6,
    "socket": IPV6.replace("[c10d] ", ""),
    "profile": "/etc/profile.d/lang.sh: line 19: /home/u/.i18n: Permission denied\n",
    "logged import": "12:00:00 WARNING xformers: ImportError: cannot import name 'x' from 'y'\n",
    "old driver": "UserWarning: CUDA initialization: The NVIDIA driver on your system is too old (found 11040).\n",
    "no driver": "Could not load dynamic library 'libcuda.so.1'; libcuda.so.1: cannot open shared object file\n",
    "quoted": "stage: generate; answer: 'There was a Bus error in my kernel'\n",
    "stale": "WARNING retry: Stale file handle\n",
    "font cache": "Matplotlib: cannot write /home/u/.cache: No space left on device\n",
    "module": "/var/spool/slurmd/slurm_script: 12: module: not found\n",
    "logged traceback": TRACEBACK + "OSError: [Errno 5] Input/output error\n12:00:00 once more\n",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_warning_does_not_outrank_the_programs_own_word(name: str) -> None:
    for entry in (failed(START + HARMLESS[name], PROGRAM + OWN), failed(START, PROGRAM + HARMLESS[name] + OWN)):
        verdict = explain(entry, TABLE)
        assert (verdict.cause, verdict.blames_node) == ("X", False), verdict.line()
        assert "column style is missing" in verdict.title


def test_state_outranks_what_a_file_system_said_on_the_way() -> None:
    warned = PROGRAM + HARMLESS["stale"] + "12:00 generate 3/9\n"
    for state, cause in (("TIMEOUT", "T"), ("CANCELLED", "O"), ("FAILED", "AI")):
        verdict = explain(failed(rule_log=warned, state=state), TABLE)
        assert (verdict.cause, bool(verdict.blames_node)) == (cause, cause == "AI"), verdict.line()
    assert explain(failed(rule_log=PROGRAM + HARMLESS["c10d"]), TABLE).cause == "?", "of torch, not a hub"


@pytest.mark.parametrize(
    ("log", "cause", "blames"),
    [
        # the reason is that of the first of two exceptions
        (
            TRACEBACK
            + "OSError: [Errno 116] Stale file handle: '/p'\n\nDuring handling of the above exception, another "
            "exception occurred:\n\n" + TRACEBACK + "ValueError: no table\nerror: train_sfam: ValueError: no table\n",
            "AI",
            True,
        ),
        # another traceback than the one that ended it
        (
            TRACEBACK
            + "OSError: Stale file handle\n12:00:00 once more\n"
            + TRACEBACK
            + "ValueError: no table\nerror: train_sfam: ValueError: no table\n",
            "X",
            False,
        ),
        # a child said why
        (
            "(EngineCore_0 pid=7) torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n"
            + TRACEBACK
            + "RuntimeError: Engine core initialization failed. See root cause above.\n"
            "error: generate_answers: RuntimeError: Engine core initialization failed. See root cause above.\n",
            "H",
            False,
        ),
        ("error: x: OSError: [Errno 5] Input/output error: '/scratch/x'\n", "AI", True),
        (
            TRACEBACK + "ImportError: libcuda.so.1: cannot open shared object file: No such file\n"
            "error: x: ImportError: libcuda.so.1: cannot open shared object file: No such file; this Python is /env\n",
            "R",
            True,
        ),
    ],
)
def test_reason_is_looked_for_where_the_program_ended(log: str, cause: str, blames: bool) -> None:
    verdict = explain(failed(rule_log=PROGRAM + "12:00:00 begin\n" + log), TABLE)
    assert (verdict.cause, bool(verdict.blames_node)) == (cause, blames), verdict.line()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("PartitionDown", "takes no jobs at present"),
        ("PartitionInactive", "takes no jobs at present"),
        *((reason, "can never start") for reason in ("QOSMaxMemoryPerJob", "AssocMaxCpuMinutesPerJobLimit")),
        *((reason, "can never start") for reason in ("QOSMaxGRESPerNode", "QOSMinGRES", "QOSTimeLimit")),
        *((reason, "can never start") for reason in ("AssocMaxWallDurationPerJobLimit", "QOSMaxNodePerJobLimit")),
        ("AssocGrpCPUMinutesLimit", "hours of the allocation are used up"),
        ("QOSGrpGRESMinutes", "hours of the allocation are used up"),
        # what runs now is the limit: it starts when that ends
        ("AssocGrpCPURunMinutesLimit", "waits for a limit of your account"),
        ("QOSMaxJobsPerUserLimit", "waits for a limit of your account"),
        ("AssocGrpGRES", "waits for a limit of your account"),
    ],
)
def test_reason_of_a_job_that_waits_has_its_own_words(reason: str, words: str) -> None:
    verdict = explain(failed(None, state="PENDING", reason=reason, node=""), TABLE)
    assert verdict.cause == "K" and words in verdict.title


@pytest.mark.parametrize(
    "said",
    [
        "slurm_script: 4: .: cannot open profiles/slurm/job_env.sh: No such file",
        "slurm_script: line 4: profiles/slurm/job_env.sh: No such file or directory",
        "slurm_script: line 4: .: profiles/slurm/job_env.sh: file not found",
    ],
    ids=["dash", "bash", "bash as sh"],
)
def test_project_folder_that_is_not_there_is_named_whichever_shell_says_so(said: str) -> None:
    verdict = explain(failed(f"/var/spool/slurmd/job00007/{said}\n"), TABLE)
    assert (verdict.cause, verdict.blames_node) == ("E", "alone")


@pytest.mark.parametrize("word", ["x", "/", "a/", "python", "/lib", "Error 801: x\n"])
def test_one_long_word_does_not_hold_up_the_table(word: str) -> None:
    text = word * (60_000 // len(word))
    began = time.process_time()
    explain(failed(text), TABLE)
    assert time.process_time() - began < 4, "grows with the square of the length: 24 s and more"


def test_only_a_fault_of_the_node_blames_the_node() -> None:
    blamed = {name for name, (evidence, *_) in CASES.items() if explain(evidence, TABLE).blames_node}
    words = {"D incomplete", "prolog", "I/O", "stale", "SIGILL", "AA ill", "AA bus", "R device"}
    assert blamed == {"D", "E", "L preflight"} | words


def test_last_word_is_the_programs_and_never_a_trailer() -> None:
    step = STEP.format(printed="", code=1)
    copied = "[log] the end of a.log:\nTraceback\nValueError: of the program\n[room] results=9 MB\n"
    for slurm_log, rule_log, word in (
        (step, PROGRAM + "12:00 begin\nerror: a.parquet: bad\n", "error: a.parquet: bad"),
        (step + copied, "", "ValueError: of the program"),
        (step, PROGRAM + "working on it\n", "working on it"),
        (step, "Fatal Python error: init_fs_encoding: failed\n\nCurrent thread 0x1\n", "Fatal Python error: init"),
        ("slurmstepd: error: TaskProlog failed status=1\n" + step, "", "slurmstepd: error: TaskProlog failed"),
        (step.replace("CalledProcessError", "ValueError").replace("Command 'set", "boom 'set"), "", "ValueError: boom"),
        (step, "", ""),
    ):
        found = failed(START + slurm_log, rule_log).last_line
        assert found.startswith(word) and bool(found) == bool(word), found


def test_module_that_one_node_lacks_is_its_fault_unless_the_environment_changed(tmp_path: Path) -> None:
    packages = tmp_path / "env/lib/python3.11/site-packages"
    (packages / "numpy").mkdir(parents=True)
    (packages / "numpy/core.py").write_text("")
    log = PROGRAM.replace("/env", f"{tmp_path}/env") + "ModuleNotFoundError: No module named 'numpy.core'\n"

    def blames(changed: float, text: str = log) -> bool:
        os.utime(packages, (changed, changed))
        entry = failed(rule_log=text)
        sent = replace(entry.submitted, time=1000.0)
        verdict = explain(replace(entry, submitted=sent), TABLE)
        assert verdict.cause == "C"
        return bool(verdict.blames_node)

    assert blames(900.0)
    assert not blames(1100.0), "an install was under way"
    assert not blames(900.0, log.replace("numpy.core", "torch")), "nobody has it"


def test_heartbeat_is_judged_by_its_file_and_not_by_the_nodes_clock(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("[start] program=a job=17 \n")
    sent = replace(JOB, log=str(log), slurm_log="")
    queued = QueuedJob("17", "RUNNING", "", "node02", 600)

    def overdue(written: float, clock: float) -> float:
        beat = {"stage": "model", "time": clock, "limit_s": 300, "job": "17"}
        (tmp_path / "a.log.beat").write_text(json.dumps(beat))
        os.utime(tmp_path / "a.log.beat", (written, written))
        return gather(sent, queued, now=time.time(), ask_controller=False).overdue

    now = time.time()
    assert overdue(now, now - 1000) == 0, "its clock is late"
    assert overdue(now - 400, now + 1000) == pytest.approx(100, abs=5), "its clock is early"


def test_running_job_within_its_limit_has_no_cause() -> None:
    beat = {"stage": "model", "time": 900.0, "limit_s": 300, "job": "17"}
    # words that would be a cause in a job that ended are none while it goes on
    evidence = failed(rule_log=PROGRAM + "No space left on device", state="RUNNING", now=1000.0, beat=beat)
    assert explain(evidence, TABLE).cause == "?"


def test_node_that_eats_all_retries_is_named_once_it_failed_twice() -> None:
    def verdict(node: str, cause: str, blames: bool) -> Verdict:
        return Verdict("1", "a", 1, node, "preflight", "FAILED", cause, "t", "r", blames)

    folded = fold_bad_nodes([verdict("n1", "D", True), verdict("n1", "D", True), verdict("n2", "D", True)])
    assert [v.cause for v in folded] == ["S", "S", "D"]
    assert "n1 failed 2 attempts of this job (D: t)" in folded[0].title
    assert [v.cause for v in fold_bad_nodes([verdict("n1", "X", False)] * 3)] == ["X"] * 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("causes:\n- {id: A, title: t, remedy: r}", "fits every job"),
        ("causes:\n- {id: A, title: t, remedy: r, log: '('}", "entry 1 (A): log: Value error, no regular expression"),
        ("causes:\n- {id: A, title: t, remedy: r, lgo: x}", "entry 1 (A): lgo: Extra inputs"),
        ("causes:\n- {id: A, title: t, log: x}", "remedy: Field required"),
        ("causes:\n- {id: A, title: t, remedy: r, fact: f}", "unknown fact 'f'"),
        ("nothing: 1", "wants a key `causes:`"),
    ],
)
def test_table_that_is_wrong_is_refused_with_its_entry(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "causes.yaml").write_text(text)
    with pytest.raises(InputError) as error:
        read_causes(tmp_path / "causes.yaml")
    assert words in str(error.value) and "causes.yaml" in str(error.value)


def test_causes_of_the_table_are_all_in_the_docs() -> None:
    text = (CAUSES.parents[2] / "docs" / "slurm.md").read_text()
    for cause in {cause.id for cause in TABLE}:
        assert f"| {cause} |" in text, cause
