"""Who is cited: every work that code and manual name is in CITATION.cff, and what is made of that says the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conftest import ROOT
from sociolect.settings.citations import cited_in, label_of, read_citation, references_list, zenodo_text
from sociolect.settings.locks import declared

TEXTS = [
    ROOT / "README.md",
    *(ROOT / "docs").glob("*.md"),
    *(path for ending in ("py", "yaml", "smk", "j2", "md") for path in (ROOT / "workflow").rglob(f"*.{ending}")),
    *(ROOT / "config").glob("*"),
    *(ROOT / "benchmarks").glob("*.py"),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("as in LISA (Patel et al. 2023)", {("Patel", 2023)}),
        ("shrunk by Ledoit and Wolf (2004), or\n    # Ledoit and\n    # Wolf 2004", {("Ledoit", 2004)}),
        ("(Biber 1988; Stamatatos 2009,\nand others; POSNoise: Halvani and Graner 2020)", None),
        ("Hyland (2005), Metadiscourse", {("Hyland", 2005)}),
        ("Khattab and Zaharia 2020, Humeau et al. 2020", {("Khattab", 2020), ("Humeau", 2020)}),
        ("EMNLP 2023), on 28 November 2026, of Python (3100), in May 2020, block 2048", set()),
    ],
)
def test_citations_are_found(text: str, found: set[tuple[str, int]] | None) -> None:
    assert cited_in(text) == (
        found if found is not None else {("Biber", 1988), ("Stamatatos", 2009), ("Halvani", 2020)}
    )


def test_who_is_named_is_in_the_citation_file_and_the_other_way_round() -> None:
    references = read_citation(ROOT)["references"]
    known = {(one["authors"][0]["family-names"], one["year"]) for one in references}
    assert len(known) == len(references), "a name and a year mean one work"
    # the module that finds them has examples; the list that is made of the file proves nothing
    named = {
        path: cited_in(re.sub(r"<!-- references:.*?<!-- end of references -->", "", path.read_text(), flags=re.DOTALL))
        for path in TEXTS
        if path.is_file()
    }
    assert {path.name: sorted(found - known) for path, found in named.items() if found - known} == {}
    assert known - set().union(*named.values()) == set()


def test_each_reference_says_where_it_is_and_what_for() -> None:
    citation = read_citation(ROOT)
    listed = references_list(citation).splitlines()
    assert len(listed) == len(citation["references"])
    for one in citation["references"]:
        assert one["notes"] and one["title"] and len(one["authors"][0]) == 2
        assert {"collection-title", "journal", "publisher", "identifiers"} & one.keys(), label_of(one)
        assert re.fullmatch(r"10\.\d{4,9}/\S+", one.get("doi", "10.1000/x")), label_of(one)
        for other in one.get("identifiers", []):
            assert re.fullmatch(r"arXiv:\d{4}\.\d{5}", other["value"]), label_of(one)
        (line,) = [line for line in listed if line.startswith(f"- **{label_of(one)}**: {one['title']}. ")]
        assert line.endswith(f"*{one['notes']}*")


def test_zenodo_says_the_same() -> None:
    citation, zenodo = read_citation(ROOT), json.loads((ROOT / ".zenodo.json").read_text())
    assert zenodo == json.loads(zenodo_text(citation))
    for ours, theirs in (
        ("title", "title"),
        ("version", "version"),
        ("license", "license"),
        ("abstract", "description"),
    ):
        assert citation[ours] == zenodo[theirs]
    assert [one["name"] for one in zenodo["creators"]] == [one["name"] for one in citation["authors"]]
    assert citation["version"] == declared(ROOT)["project"]["version"]
    assert len(zenodo["references"]) == len(citation["references"])


def test_a_file_without_references_is_named(tmp_path: Path) -> None:
    (tmp_path / "CITATION.cff").write_text("title: x\n")
    with pytest.raises(ValueError, match=r"CITATION\.cff: no references"):
        read_citation(tmp_path)
