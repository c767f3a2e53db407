"""What is made of CITATION.cff: the references of docs/method.md, and the metadata for Zenodo."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from sociolect.common.errors import InputError

__all__ = ["cited_in", "label_of", "read_citation", "references_list", "zenodo_text"]

_YEAR = r"(?P<year>(?:19|20)\d\d)"
# with a small letter in it: EMNLP 2023 is no author
_NAME = r"[A-Z](?=\w*[a-z])[^\W\d_]+(?:-[A-Z][^\W\d_]+)?"
# Patel et al. 2023; Vardi and Zhang (2000); and of one author (Holm 1979), Biber (1988), or Stamatatos 2009 in a list
_SEVERAL = re.compile(rf"(?P<name>{_NAME})(?: et al\.| (?:and|&) {_NAME}),? \(?{_YEAR}\)?")
_ALONE = re.compile(
    rf"(?:(?<=\()|(?<=; )|(?<=: ))(?P<name>{_NAME}) {_YEAR}(?=[),;])"
    rf"|(?<!and )(?<!& )\b(?P<one>{_NAME}) \((?P<in>(?:19|20)\d\d)\)"
)


def read_citation(root: Path) -> dict[str, Any]:
    """CITATION.cff of the project at `root`.

    Raises:
        InputError: it is no YAML mapping with references.
    """
    path = root / "CITATION.cff"
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML ({error})") from error
    if not isinstance(values, dict) or not values.get("references"):
        raise InputError(f"{path}: no references in it")
    return values


def cited_in(text: str) -> set[tuple[str, int]]:
    """(first author, year) of every work that a text cites by names and year."""
    # a citation may go on in the next line, of a comment too
    flat = re.sub(r"\s*\n\s*(?:# )?", " ", text)
    found = {(match["name"], int(match["year"])) for match in _SEVERAL.finditer(flat)}
    for match in _ALONE.finditer(flat):
        found.add((match["name"] or match["one"], int(match["year"] or match["in"])))
    return found


def label_of(reference: dict[str, Any]) -> str:
    """How a text cites a reference: Holm 1979, Ledoit and Wolf 2004, Patel et al. 2023."""
    names = [author["family-names"] for author in reference["authors"]]
    shown = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
    return f"{shown} {reference['year']}"


def references_list(citation: dict[str, Any]) -> str:
    """Markdown list of the references, with what is used of each."""
    listed = sorted(citation["references"], key=lambda reference: (label_of(reference), reference["title"]))
    return "\n".join(f"- **{label_of(one)}**: {_shown(one)} {_link(one)}*{one['notes']}*" for one in listed)


def zenodo_text(citation: dict[str, Any]) -> str:
    """.zenodo.json, which Zenodo reads of a release."""
    references = citation["references"]
    related = [{"identifier": found, "relation": "cites"} for one in references if (found := _identifier(one))]
    values = {
        "title": citation["title"],
        "description": citation["abstract"],
        "creators": [{"name": author["name"]} for author in citation["authors"]],
        "upload_type": citation["type"],
        "access_right": "open",
        "license": citation["license"],
        "version": citation["version"],
        "keywords": citation["keywords"],
        "references": [f"{label_of(one)}. {_shown(one)}" for one in references],
        "related_identifiers": related,
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _shown(reference: dict[str, Any]) -> str:
    """Title and where it appeared, as sentences."""
    where = reference.get("collection-title") or reference.get("journal") or reference.get("publisher", {}).get("name")
    number = f" {reference['volume']}" if "volume" in reference else ""
    issue = f"({reference['issue']})" if "issue" in reference else ""
    pages = f", {reference['start']}" if "start" in reference else ""
    pages += f"-{reference['end']}" if "end" in reference else ""
    return f"{reference['title']}." + (f" {where}{number}{issue}{pages}." if where else "")


def _identifier(reference: dict[str, Any]) -> str:
    others = reference.get("identifiers", [])
    return reference.get("doi") or (others[0]["value"] if others else "")


def _link(reference: dict[str, Any]) -> str:
    found = _identifier(reference)
    if found.startswith("arXiv:"):
        return f"[{found}](https://arxiv.org/abs/{found.removeprefix('arXiv:')}). "
    # parentheses would end the link
    target = found.replace("(", "%28").replace(")", "%29")
    return f"[doi:{found}](https://doi.org/{target}). " if found else ""
