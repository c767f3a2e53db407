"""What Snakemake would do: all jobs of a target, which of them it would run, and why; and its own graphs as text."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sociolect.common.errors import InputError

# Snakemake's names of reasons, in the words of a picture; of several the first counts
_CAUSES = {
    "output files have to be generated": "no output",
    "incomplete output files": "left half done",
    "params have changed since last execution": "settings or code",
    "code has changed since last execution": "settings or code",
    "set of input files has changed since last execution": "other inputs",
    "software environment definition has changed since last execution": "environment",
    "updated input files": "newer input",
    "input files updated by another job": "follows",
}
_LANGUAGES = {"mmd": "mermaid-js", "dot": "dot"}


@dataclass(frozen=True)
class Job:
    """One job of the graph, with the cores that it takes (`threads`).

    `stage` is the name of its rule file, `needs` are the ids of jobs that it reads from; `due` says that Snakemake
    would run it, `made` that all its outputs are there; `cause` is its `reason` in a word or two.
    """

    id: int
    rule: str
    stage: str
    wildcards: dict[str, str] = field(default_factory=dict)
    needs: frozenset[int] = frozenset()
    due: bool = False
    made: bool = True
    reason: str = ""
    cause: str = ""
    log: Path | None = None
    benchmark: Path | None = None
    threads: int = 1

    @property
    def label(self) -> str:
        """Rule and wildcards, as `make why` writes them."""
        values = "/".join(self.wildcards.values())
        return f"{self.rule} [{values}]" if values else self.rule


def planned_jobs(configfile: Path, target: str, cores: int = 1) -> list[Job]:
    """All jobs that the target needs, done or not, in Snakemake's order; nothing is locked, so that a run may go on.

    Args:
        configfile: of the run.
        target: a rule or a file.
        cores: of the run, at most which a job takes.

    Raises:
        InputError: Snakemake cannot make the graph; its own lines stand above.
    """
    with _resolved(configfile, target, forceall=False, cores=cores) as (dag, _):
        return jobs_of(dag)


def jobs_of(dag: Any) -> list[Job]:
    """The jobs of Snakemake's graph, in its order: the id of a job is its place."""
    ids = {job: number for number, job in enumerate(dag.jobs)}
    return [_job(dag, job, ids) for job in ids]


def graph_texts(configfile: Path, target: str) -> dict[str, str]:
    """Snakemake's own graphs, of all rules and all jobs as if nothing were done: by file name.

    Raises:
        InputError: Snakemake cannot make the graph; its own lines stand above.
    """
    with _resolved(configfile, target, forceall=True) as (dag, settings):
        texts = {"dag.dot": dag.dot(), "dag.mmd": dag.mermaid_js()}
        for suffix, settings.print_dag_as in _LANGUAGES.items():
            texts[f"rulegraph.{suffix}"] = dag.rule_dot()
    return {name: f"{text}\n" for name, text in texts.items()}


@contextmanager
def _resolved(configfile: Path, target: str, forceall: bool, cores: int = 1) -> Iterator[tuple[Any, Any]]:
    """Snakemake's graph and its settings."""
    # takes two seconds
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings

    with SnakemakeApi(OutputSettings(log_level_override=logging.WARNING)) as api:
        try:
            configs = ConfigSettings(configfiles=[configfile])
            workflow = api.workflow(ResourceSettings(cores=cores), config_settings=configs)
            # half-done files as the profiles have it
            settings = DAGSettings({target}, forceall=forceall, force_incomplete=True, print_dag_as="dot")
            # it makes the graph, and prints it
            with redirect_stdout(io.StringIO()):
                workflow.dag(settings).printdag()
        except Exception as error:
            api.print_exception(error)
            raise InputError(f"no graph of {target}: Snakemake's lines above say why") from error
        yield workflow._workflow.dag, settings


def _job(dag: Any, job: Any, ids: dict[Any, int]) -> Job:
    reason = dag.reason(job)
    names = list(reason.get_names())
    return Job(
        id=ids[job],
        rule=job.rule.name,
        stage=Path(str(job.rule.snakefile)).stem,
        wildcards={name: str(value) for name, value in job.wildcards_dict.items()},
        needs=frozenset(ids[needed] for needed in dag.dependencies[job]),
        due=dag.needrun(job),
        # a target such as `all` makes nothing itself
        made=bool(job.output) and all(Path(str(path)).exists() for path in job.output),
        reason=str(reason),
        cause=next((word for name, word in _CAUSES.items() if name in names), ", ".join(names)),
        log=Path(str(job.log[0])) if job.log else None,
        benchmark=Path(str(job.benchmark)) if job.benchmark else None,
        threads=int(job.threads),
    )
