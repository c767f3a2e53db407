"""The page: all of it inside, texts inert, and what keys, clicks and addresses do, in a browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from explored import CATALOGUE, HEDGED, LOUD, made_tables

from browsed import Tags, browsed
from conftest import ROOT
from sociolect.evaluation.templates import read_page
from sociolect.explorer.data import experiment_data
from sociolect.explorer.explorer_page import explorer_page, script_json

EVIL = '</script><script>document.title = "taken"</script><img src=x onerror="document.title=1"><!-- {{ 7 * 7 }} &amp;'
TEMPLATES = [ROOT / f"workflow/report/explorer.{part}.j2" for part in ("html", "css", "js")]
TEXTS = {"question": LOUD, "question+group": f"Maybe {EVIL}", "steered": HEDGED, "steered (random)": LOUD}


@pytest.fixture(scope="module")
def page() -> str:
    questions = {"q-a": f"What of a? {EVIL}", "q-b": "What of b?"}
    names = CATALOGUE["attribute"].to_list()
    data = experiment_data(made_tables(TEXTS, questions), CATALOGUE)
    return explorer_page(read_page(TEMPLATES), f"run {EVIL}", names, [data, data | {"name": "again"}], 0.95)


def test_the_page_asks_for_nothing_and_text_in_it_is_text(page: str) -> None:
    read = Tags(page)
    names = [tag for tag, _ in read.tags]
    assert names.count("script") == 4 and not {"img", "link", "iframe", "a"} & set(names)
    for _, attributes in read.tags:
        assert not {"src", "href", "onerror", "onclick", "style"} & set(attributes)
    assert "url(" not in page and "@import" not in page
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://www.w3.org/2000/svg"}
    assert json.loads(read.scripts[1])["questions"][0][1] == f"What of a? {EVIL}"
    assert script_json("</Script <!--") == '"\\u003c/Script \\u003c!--"'
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(float("nan"))


def noted(page: str, folder: Path, action: str, address: str = "") -> Any:
    """What a script noted while it used the page in a browser."""
    dom = browsed(page, folder, f"{{{USING}{action}{LAST}}}", address)
    title = re.search(r"<title>(.*?)</title>", dom)
    assert title and "<img" not in dom
    return json.loads(unescape(title[1]))


USING = """
const noted = {}, named = id => document.getElementById(id), said = id => named(id).textContent;
const all = (what, inside = document) => [...inside.querySelectorAll(what)];
const texts = (...of) => all(...of).map(one => one.textContent);
const stroke = name => new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true});
const key = (name, where = document.body) => where.dispatchEvent(stroke(name));
const set = (id, value, event = "change") => { named(id).value = value; named(id).dispatchEvent(new Event(event)); };
const press = button => { button.focus(); button.click(); };
const labelOf = one => one.getAttribute("aria-label"), card = name => all(".card").find(one => labelOf(one) === name);
const marks = name => texts("mark", card(name));
const hash = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const rows = () => all("#by-judge tbody tr").map(row => [...row.children].map(one => one.textContent));
const cells = () => Object.fromEntries(rows().map(row => [row[0], row[2]]));
"""
LAST = "document.title = JSON.stringify(noted);"

OPENED = """
noted.cards = all(".cards").map(box => all(".card", box).map(labelOf));
noted.question = said("question"); noted.said = said("said");
noted.went = texts(".went", card("steered"));
noted.gained = marks("steered"); noted.lost = marks("question");
noted.evil = texts(".text", card("question+group"));
noted.kinds = [all("mark", card("steered"))[0].className, all("mark", card("question"))[0].className];
noted.chips = texts(".chips button", card("steered"));
noted.arrow = all("#map polygon.arrow").length; noted.groups = texts("#map text").sort();
noted.map = labelOf(all("#map svg")[0]);
const active = named("list").getAttribute("aria-activedescendant");
noted.roles = [all("[role=listbox] [role=option]").length, all("[aria-selected=true]").map(one => one.id === active)];
const fields = all("select, input").map(one => one.closest("label")), buttons = all("button");
noted.unnamed = [...fields, ...buttons].filter(one => !one.textContent.trim()).length;
"""


def test_it_opens_at_what_moved_most_and_marks_the_words(page: str, tmp_path: Path) -> None:
    assert noted(page, tmp_path, OPENED) == {
        "cards": [["question", "question+group", "steered"], ["steered (random)"]],
        "question": f"What of a? {EVIL}",
        "said": "1 of 1. steered: its style came to a (b → a ✓); 1 of 1 other judge of style see it there.",
        "went": ["b → a ✓"],
        "gained": ["Perhaps", "may"],
        "lost": ["!", "!"],
        "evil": [f"Maybe {EVIL}"],
        "kinds": ["gained", "lost"],
        # the group's own attribute has a mark; what was lost is nowhere in this text
        "chips": ["◆ +0.90 hedging words ×2", "−0.90 exclamation marks"],
        "arrow": 1,
        "groups": ["a", "b"],
        "map": "Map of the embedding. The arrow is the move from row 1 to steered: b → a ✓; it goes 12.73 far, and "
        "ends 12.45 nearer to a (in all directions of the embedding).",
        "roles": [1, [True]],
        "unnamed": 0,
    }


CLICKED = """
noted.table = cells();
set("group", "b"); noted.b = said("said");
set("targets", "cross"); noted.cross = texts("#list small"); noted.hash = hash();
press(all(".chips button", card("steered")).find(one => one.textContent.includes("hedging")));
noted.sought = [marks("steered"), marks("question+group"), marks("question"), hash().attribute];
noted.held = [labelOf(document.activeElement), document.activeElement.getAttribute("aria-pressed")];
key("Escape"); noted.free = marks("question+group");
press(all("button", card("question"))[0]); noted.row = [hash().row, document.activeElement.textContent];
press(all("button", card("steered"))[0]);
set("table", "a"); noted.of_a = cells();
set("measure", "gain"); noted.gain = cells();
const sort = () => all("#by-judge button").find(one => one.textContent.startsWith("sfam"));
press(sort());
const how = () => sort().closest("th").getAttribute("aria-sort");
noted.sorted = [rows()[0][0], how(), document.activeElement === sort()];
sort().click(); noted.up = [rows()[0][0] !== "steered", how()];
set("find", "nothing has this", "input"); noted.none = [said("said"), all(".card").length];
set("find", "MAYBE", "input"); noted.found = texts("#list li").length;
key("/"); noted.focus = document.activeElement.id;
set("experiment", "again"); noted.again = [hash().experiment, hash().group];
"""


def test_all_that_can_be_chosen_shows_what_it_says(page: str, tmp_path: Path) -> None:
    found = noted(page, tmp_path, CLICKED)
    assert found["table"]["steered"].startswith("50 % [") and found["table"]["question"].startswith("50 % [")
    assert found["b"].startswith("1 of 1. steered: its style left b (b → a)")
    assert found["cross"] == ["put to a; b → a"] and found["hash"]["asked"] == "a"
    assert (found["hash"]["group"], found["hash"]["targets"], found["hash"]["question"]) == ("b", "cross", "q-a")
    # one attribute in all texts, also where it was there before
    assert found["sought"] == [["Perhaps", "may"], ["Maybe"], [], "hedging words"]
    assert found["held"] == ["hedging words, +0.90, 2 places", "true"]
    assert found["free"] == []
    assert found["row"] == ["question", "question"]
    assert found["of_a"]["steered"] == "100 % [100, 100]" and found["of_a"]["question"] == "0 % [0, 0]"
    assert found["gain"]["steered"] == "+100.0 [+100.0, +100.0]" and found["gain"]["question"] == "-"
    assert found["sorted"] == ["steered", "descending", True]
    assert found["up"] == [True, "ascending"]
    assert found["none"] == ["No question fits.", 0] and found["found"] == 1
    assert found["focus"] == "find"
    assert found["again"] == ["again", "b"]


STEPPED = """
const chosen = () => hash().question;
noted.first = chosen(); key("ArrowRight"); noted.right = chosen(); key("ArrowRight"); noted.end = chosen();
key("ArrowLeft"); noted.left = chosen();
key("End", named("list")); noted.down = chosen(); key("ArrowUp", named("list")); noted.up = chosen();
key("ArrowRight", named("find")); noted.typing = chosen();
noted.strange = said("opened"); noted.draw = hash().draw;
noted.selected = texts("[aria-selected=true] span");
"""


def test_arrows_step_through_questions_and_an_address_is_read(tmp_path: Path) -> None:
    tables = made_tables(TEXTS, {"q-a": "What of a?", "q-b": "What of b?"})
    # one target for both questions
    both = experiment_data(tables, CATALOGUE)
    both["cases"] = [[question, target, target] for question, _, target in both["cases"]]
    page = explorer_page(read_page(TEMPLATES), "x", CATALOGUE["attribute"].to_list(), [both], 0.95)
    found = noted(page, tmp_path, STEPPED, "#group=a&question=q-a&draw=1&row=steered&sort=question&table=nobody")
    ways = ("first", "right", "end", "left", "down", "up", "typing")
    assert [found[way] for way in ways] == ["q-a", "q-b", "q-b", "q-a", "q-b", "q-a", "q-a"]
    assert found["strange"] == "This run has no table nobody of the address; what is shown is another."
    assert (found["draw"], found["selected"]) == ("1", ["What of a?"])


EMPTY = """
noted.list = texts("#list small"); noted.said = said("said");
noted.arrow = all("#map polygon.arrow, #map .start").length;
noted.map = labelOf(all("#map svg")[0]).includes("An empty text makes no move."); noted.opened = said("opened");
set("table-targets", "cross"); noted.line = texts("#by-judge tr.line th");
"""


def test_from_an_empty_text_nothing_moves(tmp_path: Path) -> None:
    tables = made_tables({"question": "", "question (other seed)": LOUD, "steered": HEDGED, "steered (random)": ""})
    # the last of the eight rows is not asked for another group's style
    both = (pl.col("condition") == "question (other seed)") & (pl.col("targets") == "cross")
    data = experiment_data(replace(tables, judges=tables.judges.filter(~both)), CATALOGUE)
    assert data["opening"] is None
    page = explorer_page(read_page(TEMPLATES), "x", CATALOGUE["attribute"].to_list(), [data], 0.95)
    assert noted(page, tmp_path, EMPTY) == {
        "list": ["nothing in row 1; nearest: a ✓"],
        "said": "1 of 1. steered: its style is nearest to a; row 1 is empty, so that there is no move.",
        "arrow": 0,
        "map": True,
        "opened": "",
        "line": ["steered (random)"],
    }


def test_it_opens_at_a_text_that_has_words(tmp_path: Path) -> None:
    whole = made_tables(TEXTS)
    farthest = (pl.col("request_id") == "aa steered 0").alias("empty")
    data = experiment_data(replace(whole, scores=whole.scores.with_columns(farthest)), CATALOGUE)
    assert data["rows"]["sample"][data["opening"]] == 1
