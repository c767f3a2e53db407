"""The page of both graphs: pictures, and for each job its state, why, run time and the end of its log."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sociolect.dag.folding import GraphNode
from sociolect.dag.job_states import STATES, JobState
from sociolect.dag.pictures import duration, state_line
from sociolect.dag.planned import Job
from sociolect.evaluation.templates import read_page


def page_of(
    template: Path, title: str, nodes: Sequence[GraphNode], rules: Sequence[GraphNode], jobs_svg: str, rules_svg: str
) -> str:
    """The page, with all that it shows inside.

    Args:
        template: of the page.
        title: run and target.
        nodes: of the job graph.
        rules: nodes of the rule graph.
        jobs_svg: picture of the job graph.
        rules_svg: picture of the rule graph.
    """
    counted = Counter(state.state for node in nodes for state in node.states)
    return read_page([template]).render(
        title=title,
        drawn=time.strftime("%Y-%m-%d %H:%M:%S"),
        counts=[(state, counted[state]) for state in STATES if counted[state]],
        jobs_svg=jobs_svg,
        rules_svg=rules_svg,
        # what is to be looked at comes first in the list
        nodes=[_node(node) for node in sorted(nodes, key=lambda node: STATES.index(node.state))],
        rules=[{"name": node.name, "rule": node.rule} for node in rules],
    )


def _node(node: GraphNode) -> dict[str, Any]:
    failed = [state.why.rpartition("\n")[2] for state in node.states if state.state == "failed"]
    return {
        "name": node.name,
        "label": " ".join((node.rule, *node.shared)),
        "rule": node.rule,
        "state": node.state,
        "line": state_line(node),
        "error": next(iter(failed), ""),
        "jobs": [_job(job, state) for job, state in zip(node.jobs, node.states, strict=True)],
    }


def _job(job: Job, state: JobState) -> dict[str, Any]:
    return {
        "label": job.label,
        "state": state.state,
        "wildcards": job.wildcards,
        "stage": job.stage,
        "short": state.short,
        "why": state.why,
        "took": "" if state.seconds is None else duration(state.seconds),
        "log": job.log.as_posix() if job.log else "",
        "end": state.log_end,
    }
