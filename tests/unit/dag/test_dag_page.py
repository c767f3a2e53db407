"""The page: all of it inside, texts of logs inert, and what keys and clicks do, in a browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from browsed import Tags, browsed
from conftest import ROOT
from sociolect.dag.dag_page import page_of
from sociolect.dag.folding import nodes_of_jobs, nodes_of_rules
from sociolect.dag.job_states import JobState
from sociolect.dag.pictures import draw_svg, picture_of_jobs, picture_of_rules
from sociolect.dag.planned import Job

EVIL = '</script><script>document.title = "taken"</script><img src=x onerror="document.title=1"> {{ 7 * 7 }} &amp;'
MAKE = Job(1, "make", "corpus", {"split": "single"}, log=Path("logs/make/single.log"))
SHARDS = [
    Job(number, "fit", "sfam", {"scatteritem": f"{number}-of-3"}, needs=frozenset({1}), log=Path(f"logs/{number}.log"))
    for number in (2, 3)
]
STATES = [
    JobState("done", seconds=68.0, log_end=EVIL),
    JobState("failed", why=f"do: add memory\nerror: {EVIL}", log_end="one\ntwo"),
    JobState("rerun", "newer input", f"Updated input files: {EVIL}"),
]


def drawn(jobs: list[Job], states: list[JobState], title: str) -> str:
    """The page of these jobs."""
    nodes = nodes_of_jobs(jobs, states)
    rules = nodes_of_rules(nodes)
    svgs = draw_svg(picture_of_jobs(nodes)), draw_svg(picture_of_rules(rules))
    return page_of(ROOT / "workflow/report/dag.html.j2", title, nodes, rules, *svgs)


@pytest.fixture(scope="module")
def page() -> str:
    return drawn([MAKE, *SHARDS], STATES, f"all {EVIL}")


def test_the_page_asks_for_nothing_and_text_in_it_is_text(page: str) -> None:
    read = Tags(page)
    names = [tag for tag, _ in read.tags]
    assert names.count("script") == 3 and names.count("svg") == 2 and not {"img", "link", "iframe"} & set(names)
    for _, attributes in read.tags:
        assert not {"src", "onerror", "onclick"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in page and "@import" not in page
    assert {word for word in re.findall(r"https?://[^\s\"'<]+", page)} <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    nodes = json.loads(read.scripts[0])
    # the failed ones come first
    assert [node["label"] for node in nodes] == ["fit", "make single"]
    assert nodes[0]["error"] == f"error: {EVIL}" and nodes[1]["jobs"][0]["end"] == EVIL


def test_every_box_of_both_pictures_is_known_to_the_page(page: str) -> None:
    boxes = {at["id"] for tag, at in Tags(page).tags if tag == "g" and (at.get("class") or "").startswith("node")}
    nodes, rules = (json.loads(text) for text in Tags(page).scripts[:2])
    assert boxes == {f"jobs-{node['name']}" for node in nodes} | {f"rules-{rule['name']}" for rule in rules}


def panel(dom: str) -> str:
    found = re.search(r"<aside.*?</aside>", dom, re.DOTALL)
    assert found
    return found[0]


def test_a_job_shows_its_log_as_text(page: str, tmp_path: Path) -> None:
    dom = browsed(page, tmp_path, "", "#make%20single")
    shown = panel(dom)
    assert "<dd>68 s</dd>" in shown and "<dd>single</dd>" in shown and "<dd>corpus.smk</dd>" in shown
    assert "<pre>&lt;/script&gt;&lt;script&gt;" in shown and "<img" not in dom and "{{ 7 * 7 }}" in shown
    assert "<title>all &lt;/script&gt;" in dom


KEYS = """
const stroke = name => new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true});
const key = (where, name) => where.dispatchEvent(stroke(name));
const done = [], note = what => done.push(what);
key(document.body, "/"); note(document.activeElement.id);
search.value = "SINGLE"; search.dispatchEvent(new Event("input"));
note([...document.querySelectorAll("#jobs .out")].map(one => one.id).join());
note([...document.querySelectorAll("#list button")].map(one => one.firstChild.data.trim()).join());
search.value = ""; document.querySelector("[data-state=rerun]").click();
note([...document.querySelectorAll("#rules .out")].map(one => one.id).join());
const fit = document.getElementById("jobs-job-2"); fit.focus(); note(document.activeElement.id);
key(fit, "Enter"); note(document.activeElement.id); note(document.querySelectorAll("aside details[open]").length);
note(document.querySelector("aside details[open] summary").textContent);
key(document.body, "Escape"); note(document.getElementById("job").hidden + " " + document.activeElement.id);
document.title = JSON.stringify(done);
"""


def test_all_goes_without_a_mouse(page: str, tmp_path: Path) -> None:
    title = re.search(r"<title>(.*?)</title>", browsed(page, tmp_path, KEYS))
    assert title
    assert json.loads(title[1]) == [
        "search",
        "jobs-job-2",
        "make single",
        "rules-job-1",
        "jobs-job-2",
        "job-title",
        1,
        "fit [2-of-3]: failed",
        "true jobs-job-2",
    ]


def test_a_job_without_a_log_says_so(tmp_path: Path) -> None:
    page = drawn([replace(MAKE, log=Path("none.log"))], [JobState("to do")], "x")
    assert "No log yet." in panel(browsed(page, tmp_path, "", "#make%20single"))
