"""The line of a failed job's logs that is most worth reading: the program's own, and never Snakemake's trailer."""

from __future__ import annotations

import re
from collections.abc import Iterable

# below a failure Snakemake says once more, in the step and in the job, that there was one
_TRAILER = re.compile(
    r"^(Error in (rule|group) .*|(WorkflowError|RuleException|CalledProcessError).*|Exiting because a job .*"
    r"|Complete log.*|Storing output .*|Removing output .*|Trying to restart job .*|Will exit after .*"
    r"|Shutting down.*|At least one job did not .*|\(?command exited with .*|srun: error: \S+: task \d+: Exited .*"
    r"|Command '.*' returned non-zero exit status .*|Command .*|Building DAG .*|\d+ of \d+ steps .*|Select jobs .*"
    r"|(Using shell|Provided|Rules claiming|host|Resources before|Execute|Job stats|Finished jobid|Assuming).*)$"
)
_BLOCK = re.compile(r"^(localrule|rule|Error in rule|Error in group) .*:$")
# from the best to the last resort
_WORDS = (
    r"^error: ",
    r"^Fatal Python error: ",
    r"^(?!Error in )[\w.]*(Error|Exception)\b",
    r"^(srun|slurmstepd|sbatch): (error|fatal): ",
)
_COPY = re.compile(r"^\[log\] the end of [^\n]*\n(?P<log>.*?)(?=^\[(room|caches|end)\]|\Z)", re.MULTILINE | re.DOTALL)
_BEFORE_EXCEPTION = re.compile(r"^(?P<line>\S[^\n]*)\n+(?=RuleException\b)", re.MULTILINE)


def last_word(slurm_log: str, rule_log: str) -> str:
    """The line that says most of why a job ended.

    The rule's log comes first, also as job_env.sh copied it: its last `error:`, its last line that names an error, its
    last line. What the job itself printed counts where the program did not say a word: Snakemake's step, srun, Python.
    """
    own = own_lines(slurm_log, rule_log)
    if own:
        return _best(own) or own[-1]
    job = _COPY.sub("", slurm_log)
    lines = list(_without_trailer(job.splitlines()))
    if best := _best(lines):
        return best
    if before := _BEFORE_EXCEPTION.findall(job):
        return before[-1].strip()
    return lines[-1] if lines else ""


def own_lines(slurm_log: str, rule_log: str) -> list[str]:
    """What the program printed, without the line that it starts with and without empty ones."""
    text = rule_log or "\n".join(match["log"] for match in _COPY.finditer(slurm_log))
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("[start]")]


def _best(lines: list[str]) -> str:
    for pattern in _WORDS:
        for line in reversed(lines):
            if re.search(pattern, line) and not _TRAILER.match(line):
                return line
    return ""


def _without_trailer(lines: Iterable[str]) -> Iterable[str]:
    """Lines that are not Snakemake's: neither those that it prints round a job, nor the indented ones below them."""
    inside = False
    for line in lines:
        inside = bool(_BLOCK.match(line)) or (inside and line.startswith(" "))
        if line.strip() and not inside and not line.startswith("[") and not _TRAILER.match(line.strip()):
            yield line.strip()
