"""What a picture shows of the jobs: shards and other twins as one node, rules as one, no arrow that others imply."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from itertools import chain

from sociolect.dag.job_states import STATES, JobState
from sociolect.dag.planned import Job


@dataclass(frozen=True)
class GraphNode:
    """One or more jobs of one rule with their states, and the names of the nodes that they read from."""

    name: str
    jobs: tuple[Job, ...]
    states: tuple[JobState, ...]
    needs: frozenset[str]

    @property
    def rule(self) -> str:
        """The rule of all of them."""
        return self.jobs[0].rule

    @property
    def stage(self) -> str:
        """Its rule file."""
        return self.jobs[0].stage

    @property
    def counts(self) -> dict[str, int]:
        """Jobs by state, the worst first."""
        counted = Counter(state.state for state in self.states)
        return {state: counted[state] for state in STATES if counted[state]}

    @property
    def state(self) -> str:
        """The worst of its jobs' states."""
        return next(iter(self.counts))

    @property
    def seconds(self) -> float | None:
        """What those that are done took, one after the other."""
        known = [state.seconds for state in self.states if state.state == "done" and state.seconds is not None]
        return sum(known) if known else None

    @property
    def shared(self) -> list[str]:
        """Values of wildcards that all of them have."""
        first = self.jobs[0].wildcards
        return [value for name, value in first.items() if all(job.wildcards.get(name) == value for job in self.jobs)]


def nodes_of_jobs(jobs: Sequence[Job], states: Sequence[JobState]) -> list[GraphNode]:
    """A node per job; jobs of one rule that stand between the same others, such as shards, are one."""
    after: dict[int, set[int]] = defaultdict(set)
    for job in jobs:
        for needed in job.needs:
            after[needed].add(job.id)
    single = [
        GraphNode(f"job-{job.id}", (job,), (state,), frozenset(f"job-{needed}" for needed in job.needs))
        for job, state in zip(jobs, states, strict=True)
    ]
    return _joined(single, lambda node: (node.rule, node.jobs[0].needs, frozenset(after[node.jobs[0].id])))


def nodes_of_rules(nodes: Sequence[GraphNode]) -> list[GraphNode]:
    """A node per rule of what `nodes_of_jobs` gave, with its arrows; a rule may need itself by way of others."""
    joined = _joined(nodes, lambda node: node.rule)
    return [replace(node, needs=node.needs - {node.name}) for node in joined]


def without_implied(nodes: Sequence[GraphNode]) -> list[GraphNode]:
    """The nodes without the arrows that a longer way has already; nodes of jobs only, which have no circles."""
    needs = {node.name: node.needs for node in nodes}
    above: dict[str, set[str]] = {}
    for name in TopologicalSorter(needs).static_order():
        above[name] = set(needs[name]).union(*(above[needed] for needed in needs[name]))
    return [replace(node, needs=node.needs - set().union(*(above[needed] for needed in node.needs))) for node in nodes]


def _joined(nodes: Sequence[GraphNode], key: Callable[[GraphNode], Hashable]) -> list[GraphNode]:
    """Nodes of an equal key as one, named for the first."""
    groups: dict[Hashable, list[GraphNode]] = defaultdict(list)
    for node in nodes:
        groups[key(node)].append(node)
    name_of = {node.name: group[0].name for group in groups.values() for node in group}
    return [
        GraphNode(
            group[0].name,
            tuple(chain.from_iterable(node.jobs for node in group)),
            tuple(chain.from_iterable(node.states for node in group)),
            frozenset(name_of[needed] for node in group for needed in node.needs),
        )
        for group in groups.values()
    ]
