"""The line of a failed job's logs that is most worth reading: the program's own, and never Snakemake's trailer."""

from __future__ import annotations

import re

# from the best to the last resort
_WORDS = (
    r"^error: ",
    r"^Fatal Python error: ",
    r"^(?!Error in )[\w.]*(Error|Exception)\b",
    r"^(srun|slurmstepd|sbatch): (error|fatal): ",
)
# what Snakemake and srun print round every job, beside what is indented or begins with a bracket
_TRAILER = re.compile(
    r"(SNAKEMAKE|=+|Building DAG|Using shell|Provided|Rules claiming|Select jobs|Execute \d|(local)?rule \S+:"
    r"|RuleException|CalledProcessError|WorkflowError|Command '|Error in (rule|group)|At least one job"
    r"|Shutting down|Exiting because|Storing output|Removing output|Elapsed time|Trying to restart"
    r"|srun: error: \S+ tasks? \S+ Exited|srun: error: \S+ task \S+: Exited)"
)
# the end of the rule's log, as job_env.sh copies it
_COPY = re.compile(r"^\[log\] the end of [^\n]*\n(?P<log>.*?)(?=^\[(room|caches|end)\]|\Z)", re.MULTILINE | re.DOTALL)
# what a rule prints that has no log stands in the step's Snakemake, between the rule's facts and its end
_PRINTED = re.compile(
    r"^localrule [^\n]*:\n(?: +[^\n]*\n)*(?P<log>.*?)(?=^RuleException:|^\[[^\]]*\]\nError in |\Z)",
    re.MULTILINE | re.DOTALL,
)
# an exception of a rule that is Python: its name, and below what it says
_RAISED = re.compile(
    r"^RuleException:\n(?!CalledProcessError)(?P<name>\w+) in file [^\n]*\n(?P<said>[^\n]*)", re.MULTILINE
)
# an `error:` that leaves the reason to what others printed: signals, children, vLLM's "root cause above"
_ELSEWHERE = re.compile(r"killed by SIG|\babove\b|CalledProcessError|non-zero exit|terminated abruptly")
_NAMED = re.compile(r"error: \S+: (?P<name>\w+): ")
_TRACEBACK = "Traceback (most recent call last)"
# what Python prints between exceptions of which one led to the next
_JOINED = ("direct cause of the following exception:", "another exception occurred:")


def last_word(slurm_log: str, rule_log: str) -> str:
    """The line that says most of why a job ended; nothing if there is none.

    The program's own comes first: its last `error:`, its last line that names an error, its last line. What the job
    itself printed counts where the program did not say a word: srun, Python before it, Snakemake's step.
    """
    if own := own_lines(slurm_log, rule_log):
        return _best(own) or own[-1]
    if raised := _RAISED.search(slurm_log):
        return f"{raised['name']}: {raised['said']}"
    lines = [
        line for line in slurm_log.splitlines() if line.strip() and line[0] not in " [" and not _TRAILER.match(line)
    ]
    return _best(lines) or (lines[-1] if lines else "")


def final_words(slurm_log: str, rule_log: str) -> str:
    """Why the program ended, in its own words alone: its last `error:`, below the exceptions that led to it.

    Nothing where it has no such line, or one that leaves the reason to others: then anything printed may be it.
    """
    lines = own_lines(slurm_log, rule_log)
    last = max((number for number, line in enumerate(lines) if line.startswith("error: ")), default=-1)
    if last < 0 or _ELSEWHERE.search(lines[last]):
        return ""
    named = _NAMED.match(lines[last])
    return "\n".join([*(_raised(lines[:last], named["name"]) if named else []), *lines[last:]])


def _raised(lines: list[str], name: str) -> list[str]:
    """The traceback of the exception of this name at the end of a log, with those that led to it.

    One of another name was logged on the way, and ended nothing.
    """
    begins = [number for number, line in enumerate(lines) if line.startswith(_TRACEBACK)] or [max(0, len(lines) - 1)]
    begin = begins.pop()
    while begins and lines[begin - 1].endswith(_JOINED):
        begin = begins.pop()
    return lines[begin:] if any(re.match(rf"[\w.]*\b{name}\b", line) for line in lines[begin:]) else []


def own_lines(slurm_log: str, rule_log: str) -> list[str]:
    """What the program printed, without the line that it starts with and without empty ones."""
    copied = "\n".join(match["log"] for match in _COPY.finditer(slurm_log))
    printed = "\n".join(match["log"] for match in _PRINTED.finditer(slurm_log))
    for text in (rule_log, copied, printed):
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("[")]
        if lines:
            return lines
    return []


def _best(lines: list[str]) -> str:
    for pattern in _WORDS:
        for line in reversed(lines):
            if re.search(pattern, line) and not _TRAILER.match(line):
                return line
    return ""
