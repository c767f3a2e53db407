"""Draw the rule graph and the job graph with the state of each job: Mermaid, Graphviz, SVG, and a page of both."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.common.errors import exit_plainly
from sociolect.common.files import write_text
from sociolect.dag.dag_page import page_of
from sociolect.dag.folding import nodes_of_jobs, nodes_of_rules, without_implied
from sociolect.dag.job_states import ended_jobs, state_of
from sociolect.dag.pictures import draw_svg, picture_of_jobs, picture_of_rules
from sociolect.dag.planned import graph_texts, planned_jobs
from sociolect.slurm.history import CAUSES
from sociolect.slurm.runs import STATE
from sociolect.slurm.verdicts import read_causes

TEMPLATE = Path(__file__).resolve().parents[1] / "report" / "dag.html.j2"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, required=True)
    parser.add_argument("--target", default="all")
    parser.add_argument("--folder", type=Path, required=True)
    flags = parser.parse_args()
    files = graph_texts(flags.configfile, flags.target)
    jobs = planned_jobs(flags.configfile, flags.target)
    causes, ended = read_causes(CAUSES), ended_jobs(STATE.absolute())
    nodes = without_implied(nodes_of_jobs(jobs, [state_of(job, causes, ended, time.time()) for job in jobs]))
    rules = nodes_of_rules(nodes)
    files["dag.svg"] = draw_svg(picture_of_jobs(nodes))
    files["rulegraph.svg"] = draw_svg(picture_of_rules(rules))
    title = f"{flags.target} with {flags.configfile}"
    files["dag.html"] = page_of(TEMPLATE, title, nodes, rules, files["dag.svg"], files["rulegraph.svg"])
    for name, text in files.items():
        write_text(text, flags.folder / name)
        print(flags.folder / name)


if __name__ == "__main__":
    exit_plainly(main)
