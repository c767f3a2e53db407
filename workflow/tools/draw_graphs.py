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
    # first: they need no more than Snakemake
    _write(graph_texts(flags.configfile, flags.target), flags.folder)
    jobs = planned_jobs(flags.configfile, flags.target)
    causes, ended = read_causes(CAUSES), ended_jobs(STATE.absolute())
    nodes = without_implied(nodes_of_jobs(jobs, [state_of(job, causes, ended, time.time()) for job in jobs]))
    rules = nodes_of_rules(nodes)
    jobs_svg, rules_svg = draw_svg(picture_of_jobs(nodes)), draw_svg(picture_of_rules(rules))
    page = page_of(TEMPLATE, f"{flags.target} with {flags.configfile}", nodes, rules, jobs_svg, rules_svg)
    _write({"dag.svg": jobs_svg, "rulegraph.svg": rules_svg, "dag.html": page}, flags.folder)


def _write(files: dict[str, str], folder: Path) -> None:
    for name, text in files.items():
        write_text(text, folder / name)
        print(folder / name)


if __name__ == "__main__":
    exit_plainly(main)
