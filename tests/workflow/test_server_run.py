"""A run whose style is described by a server: nothing of a model is asked for, and a server may move."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chat_servers import KEY, Reply, chat_server, free_address, refused, said
from conftest import make, snakemake
from sociolect.common.artifacts import read_provenance, read_table
from sociolect.common.schemas import SENTENCES

SENTENCES_FILE = "results/demo/attributes/sentences.parquet"


def config(folder: Path, name: str, address: str, **server: Any) -> str:
    values = yaml.safe_load((folder / "config/demo.yaml").read_text())
    values["description"] = {
        "describer": "llm",
        "backend": "server",
        "n_answers": 6,
        "n_heldout": 1,
        "server": {"address": address, "model": "tiny", **server},
    }
    values["labeling"]["scorer"] = "cross_encoder"
    values["pairs"] = {**values.get("pairs", {}), "targets": "hard"}
    values["models"] = {"lm": "qwen3-8b"}
    (folder / name).write_text(yaml.safe_dump(values))
    return name


def answer(body: dict[str, Any], number: int) -> Reply:
    return said("The author uses dashes.")


def jobs_of(text: str) -> set[str]:
    """Rules in Snakemake's table of what it runs."""
    return set(re.findall(r"^([a-z_]+) +\d+$", text, re.MULTILINE)) - {"total"}


def planned(folder: Path, name: str) -> str:
    return snakemake(folder, "-n", "--configfile", name, "--", SENTENCES_FILE).stdout


def test_a_server_describes_and_its_address_reruns_nothing(demo_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (demo_copy / SENTENCES_FILE).unlink()
    with chat_server(answer) as told:
        name = config(demo_copy, "served.yaml", told.address)
        text = snakemake(demo_copy, "--printshellcmds", "--configfile", name, "--", SENTENCES_FILE).stderr
        # the model of the run is one of the hub: nothing is fetched for this, and no GPU asked for
        assert jobs_of(text) == {"describe_style"}
        assert re.search(r"resources: .*gpu=0", text) and "--model  --prompts" in text
    said_of = read_table(demo_copy / SENTENCES_FILE, SENTENCES)
    assert set(said_of["attribute"]) == {"dashes"} and len(told.bodies) == said_of.height
    assert read_provenance(demo_copy / SENTENCES_FILE)["backend"]["answered_by"][0]["prompts"] == len(told.bodies)
    # now nobody is there, and no key: neither is needed any more
    monkeypatch.delenv("OPENAI_API_KEY")
    moved = config(demo_copy, "moved.yaml", "https://elsewhere.example.org/v1", concurrency=2, timeout_s=7)
    assert "Nothing to be done" in planned(demo_copy, moved)
    other = planned(demo_copy, config(demo_copy, "other.yaml", free_address(), model="small"))
    assert jobs_of(other) == {"describe_style"}
    results = [path for path in (demo_copy / "results").rglob("*") if path.is_file()]
    snakemakes = [path for path in (demo_copy / ".snakemake").rglob("*") if path.is_file()]
    assert not [path for path in results + snakemakes if KEY.encode() in path.read_bytes()]


def test_check_names_what_is_wrong_with_a_server_at_the_start(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def checked(address: str, **server: Any) -> str:
        done = make(project, "check", f"CONFIG={config(project, 'served.yaml', address, **server)}")
        assert KEY not in done.stdout + done.stderr
        return done.stdout

    with chat_server(
        lambda body, number: answer(body, number) if body["model"] == "tiny" else refused(404, "no")
    ) as told:
        assert "nothing is wrong" in checked(told.address)
        assert told.bodies[0]["messages"] == [{"role": "user", "content": "Say yes."}]
        assert re.search(
            r"line \d+, key 'description.server': .* no model 'b'.*it has small, tiny", checked(told.address, model="b")
        )
    assert re.search(r"key 'description.server': .*gave no answer.*connection refused", checked(free_address()))
    for address in ("localhost:8000", "http://me:secret@host/v1", f"https://host/v1?key={KEY}"):
        assert "key 'description.server.address': " in checked(address)
    assert "never a key itself" in checked("http://localhost/v1", key_variable=KEY)
    # a key that is missing ends a run, too, before its first job
    hosted = config(project, "hosted.yaml", "https://api.example.org/v1")
    done = snakemake(project, "-n", "--configfile", hosted, check=False)
    assert done.returncode and "the environment has no OPENAI_API_KEY; export it" in done.stdout + done.stderr
    assert "OPENAI_API_KEY" not in os.environ
