"""Graphs for debugging, single targets, and a DAG that resolves for all configs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT, snakemake
from sociolect.common.artifacts import write_table
from sociolect.common.schemas import ESTIMATE


def drawing(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """The demo's graphs into graphs/, with no program of the system but the one that the SLURM plugin calls."""
    (folder / "bin").mkdir(exist_ok=True)
    if not (folder / "bin/which").exists():
        (folder / "bin/which").symlink_to(str(shutil.which("which")))
    tool = [sys.executable, "workflow/tools/draw_graphs.py", "--configfile", "config/demo.yaml", "--folder", "graphs"]
    bare = {**os.environ, "PATH": str(folder / "bin")}
    return subprocess.run([*tool, *flags], cwd=folder, env=bare, capture_output=True, text=True)


def draw(folder: Path, *flags: str) -> dict[str, dict[str, Any]]:
    """What the page says of the jobs, by label."""
    done = drawing(folder, *flags)
    assert done.returncode == 0, done.stderr
    page = (folder / "graphs/dag.html").read_text()
    nodes = json.loads(page.partition('id="nodes">')[2].partition("</script>")[0])
    return {job["label"]: job for node in nodes for job in node["jobs"]}


def width_of(svg: str) -> int:
    found = re.search(r'<svg width="(\d+)"', svg)
    assert found
    return int(found[1])


def test_graphs_are_drawn_before_anything_has_run(project: Path) -> None:
    jobs = draw(project)
    for kind in ("rulegraph", "dag"):
        mermaid = (project / f"graphs/{kind}.mmd").read_text()
        assert "train_sfam" in mermaid and "-->" in mermaid
        svg = (project / f"graphs/{kind}.svg").read_text()
        assert svg.startswith("<svg") and ">train_sfam<" in svg and ">to do<" in svg
        assert width_of(svg) < 1300, f"the {kind} is wider than a screen"
    assert (project / "graphs/dag.dot").read_text().count("label_answers") > (
        project / "graphs/rulegraph.dot"
    ).read_text().count("label_answers")
    assert len(jobs) == 59 and {job["state"] for job in jobs.values()} == {"to do"}


def test_a_large_run_stays_readable(project: Path) -> None:
    (project / "data").mkdir()
    for split in ("single", "multi", "askx"):
        (project / f"data/{split}.parquet").touch()
    jobs = draw(project, "--configfile", "config/config.yaml")
    svg = (project / "graphs/dag.svg").read_text()
    assert len(jobs) == 225 and svg.count('class="node') == 77 and ">16 to do<" in svg
    assert width_of(svg) < 1600


def test_one_target_has_its_ancestors_alone(project: Path) -> None:
    jobs = draw(project, "--target", "results/demo/groups/main.parquet")
    assert {"profile_groups [main]", "train_sfam"} <= set(jobs)
    assert not [label for label in jobs if label.startswith(("generate_answers", "all"))]


def test_a_target_that_nobody_makes_is_one_error(project: Path) -> None:
    done = drawing(project, "--target", "nobody.csv")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "No rule to produce nobody.csv" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: no graph of nobody.csv")
    assert not (project / "graphs").exists()


def test_a_finished_demo_is_done(demo_copy: Path) -> None:
    jobs = draw(demo_copy)
    assert {job["state"] for job in jobs.values()} == {"done"}
    assert all(job["took"] and "done: " in job["end"] for label, job in jobs.items() if label != "all")
    svg = (demo_copy / "graphs/dag.svg").read_text()
    assert ">2 done, " in svg and svg.count('class="node done"') == svg.count('class="node') == 48


def status(folder: Path, *flags: str) -> list[str]:
    """What the tool prints of the demo, in a file's width."""
    tool = [sys.executable, "workflow/tools/show_status.py", "--results", "results", "--cores", "2", *flags]
    run = ["--configfile", "config/demo.yaml", "--run", "results/demo"]
    wide = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run([*tool, *run], cwd=folder, env=wide, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    return done.stdout.splitlines()


def test_status_says_what_runs_what_failed_and_when_it_ends(demo_copy: Path) -> None:
    folder = demo_copy / "results/demo"
    (folder / "report.html").unlink()
    (folder / "comparison/main.examples.md").unlink()
    # as if it had never run, but for an estimate
    (folder / "benchmarks/write_report.tsv").unlink()
    row = ("write_report", "page", "exact", 1, 1.0, 1, 0.02, 0.0, 1.0, "cpu")
    write_table(ESTIMATE.frame([row]), folder / "estimate/estimate.parquet", ESTIMATE, {})
    beat = {"stage": "write [x]", "time": time.time(), "began": time.time() - 10, "host": "elsewhere", "pid": 1}
    gpu = {"gpu": {"held": 12_000_000_000, "total": 80_000_000_000}}
    (folder / "logs/write_report.log.beat").write_text(json.dumps({**beat, "job": "", **gpu}))
    (folder / "logs/write_report.log").write_text("begin\n[b]half of it\n")
    (folder / "logs/show_examples/main.log").write_text("error: no examples; add some\n")
    (folder / "logs/show_examples/main.log.beat").write_text(json.dumps({**beat, "job": "", "ended": "failed"}))
    # watching is for terminals
    lines = status(demo_copy, "--watch")
    running = next(line for line in lines if "write_report" in line)
    assert re.search(r"demo +. write_report +. elsewhere +. write \[x\] .* 12 of 80 GB .*\[b\]half of it", running)
    bar = "━" * 20
    assert any(re.fullmatch(rf"39 rules done +{bar} +56/56 .* min *", line) for line in lines)
    assert "failed: show_examples [main], error: no examples; add some" in lines
    # 72 s were estimated, 10 s have passed; nothing ended by which to correct it
    last = r"results/demo: 56 of 58 jobs done, 1 failed, 1 running; left: about (6\d|7\d) s with 2 cores, until .*"
    assert re.fullmatch(last, lines[-1]) and lines[-1].endswith("by what such jobs took and the estimate")
    again = status(demo_copy, "--all")
    assert sum(f" {bar} " in line for line in again) == 39
    assert (demo_copy / ".snakemake/sociolect/digests.json").is_file()


def test_what_changed_what_failed_and_what_runs_is_told_apart(demo_copy: Path) -> None:
    # read by one rule
    with (demo_copy / "workflow/prompts/wordings.yaml").open("a") as stream:
        stream.write("\n")
    logs = demo_copy / "results/demo/logs"
    (demo_copy / "results/demo/comparison/main.judges.parquet").unlink()
    (logs / "compare_judges/main.log").write_text("error: no judges; add <script>one</script>\n")
    (demo_copy / "results/demo/labels/generations-main/2-of-2.parquet").unlink()
    beat = {"stage": "answers", "time": time.time(), "host": "elsewhere", "pid": 1, "job": ""}
    failed, running = "compare_judges/main", "label_answers/generations-main/2-of-2"
    for name, more in ((failed, {"ended": "failed"}), (running, {"done": 3, "total": 7})):
        (logs / f"{name}.log.beat").write_text(json.dumps({**beat, **more}))
    jobs = draw(demo_copy)
    states = {label: (job["state"], job["short"]) for label, job in jobs.items()}
    assert states["choose_wording [main]"] == ("rerun", "newer input")
    assert "workflow/prompts/wordings.yaml" in jobs["choose_wording [main]"]["why"]
    assert states["plan_requests [main]"] == ("rerun", "follows")
    assert states["choose_strength [main]"] == states["train_sfam"] == ("done", "")
    assert states["compare_judges [main]"] == ("failed", "")
    assert jobs["compare_judges [main]"]["why"] == "error: no judges; add <script>one</script>"
    assert states["label_answers [generations-main/2-of-2]"] == ("running", "answers 3/7")
    assert "<script>one" not in (demo_copy / "graphs/dag.html").read_text()
    svg = (demo_copy / "graphs/dag.svg").read_text()
    assert ">1 running, 1 rerun<" in svg and svg.count('class="node failed"') == 1


@pytest.mark.parametrize("config", ["scratch", "config", "laptop", "one-gpu"])
def test_dag_resolves(project: Path, config: str) -> None:
    for split in ("single", "multi", "askx"):
        (project / "data").mkdir(exist_ok=True)
        (project / f"data/{split}.parquet").touch()
    text = snakemake(project, "--dry-run", "--configfile", f"config/{config}.yaml").stdout
    assert "compare_conditions" in text
    assert ("fetch_model" in text) == (config != "scratch")
    assert ("train_scratch_lm" in text) == (config == "scratch")


def test_without_a_table_one_line_says_which_columns_go_where(project: Path) -> None:
    for split in ("single", "askx"):
        (project / "data").mkdir(exist_ok=True)
        (project / f"data/{split}.parquet").touch()
    done = snakemake(project, "--dry-run", "--configfile", "config/laptop.yaml", check=False)
    [line] = [line for line in (done.stdout + done.stderr).splitlines() if "data/multi.parquet" in line]
    assert done.returncode != 0
    assert "put the table of the split multi there" in line and "key 'corpus.paths.multi'" in line
    assert "columns question_id, question, answer_id, answer, author, group" in line


def test_one_target_needs_no_more_than_its_ancestors(project: Path) -> None:
    text = snakemake(project, "--dry-run", "results/demo/groups/main.parquet").stdout
    assert "profile_groups" in text and "train_sfam" in text
    assert "generate_answers" not in text and "train_scratch_lm" not in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sfam: {learning_rat: 1}", "there is no such key; write 'learning_rate'"),
        ("sampling: {parts: {train: 0.9, val: 0.2, test: 0.1}}", "must add up to 1"),
        ("experiments: {main: {fit: [single], ask: other}}", "experiments.main.ask"),
    ],
)
def test_bad_config_names_the_key(project: Path, line: str, message: str) -> None:
    base = "run: x\nexperiments: {main: {fit: [single], ask: askx}}\ncorpus: {source: demo}\n"
    (project / "bad.yaml").write_text("\n".join(k for k in base.splitlines() if k[:5] != line[:5]) + f"\n{line}\n")
    done = snakemake(project, "--dry-run", "--configfile", "bad.yaml", check=False)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


def test_no_profile_that_overrides_the_others(project: Path) -> None:
    assert not (project / "profiles/default").exists()


# what makes something: named targets have inputs alone
RULES = {
    name: body
    for path in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for name, body in re.findall(
        r"^ *rule (\w+):\n(.*?)(?=^ *rule \w+:|\Z)", path.read_text(), re.MULTILINE | re.DOTALL
    )
    if "output:" in body
}


def test_every_rule_starts_its_program_in_the_one_way_and_asks_for_what_it_needs() -> None:
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    for name, body in RULES.items():
        assert re.search(rf'shell:\n +command\(\s*"{name}"[,)]', body), f"{name} has a shell line of its own"
        # srun hangs inside a job's step; a rule's own retries repeat inside the same allocation
        assert "srun" not in body and "retries:" not in body, name
        gpu = re.search(r"\bgpu=", body) is not None
        assert gpu == bool(re.search(r"\bgpus=(GPUS|needed)\b", body)), (
            f"{name}: resources gpu= and command(gpus=) must go together"
        )
        assert gpu == (name in profile["set-resources"]), (
            f"{name}: the profile says where GPU rules run, and only those"
        )
        if "localrule: True" not in body:
            assert re.search(r"mem_mb=(growing|memory)\(", body) and "runtime=growing(" in body, name
    assert [name for name, body in RULES.items() if "localrule: True" in body] == ["fetch_model"]


def test_profile_keeps_what_a_cluster_needs() -> None:
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    assert profile["default-resources"]["nodes"] == 1 and "mem_mb_per_cpu" not in profile["default-resources"]
    assert profile["slurm-no-requeue"] and profile["slurm-keep-successful-logs"] and profile["retries"] > 0
    assert profile["precommand"] == ". profiles/slurm/job_env.sh" and (ROOT / "profiles/slurm/job_env.sh").is_file()
    assert "slurm-array-jobs" not in profile
    text = (ROOT / "profiles/slurm/config.yaml").read_text().splitlines()
    for number, line in enumerate(text):
        if re.match(r"[a-z-]+:", line) and not line.startswith(("executor:", "default-resources:")):
            assert text[number - 1].startswith("# "), f"no reason above {line}"


def test_an_experiment_may_have_the_name_of_a_key(project: Path) -> None:
    config = "run: b\nexperiments: {backend: {fit: [single], ask: single}}\ncorpus: {source: demo}\n"
    (project / "b.yaml").write_text(config)
    target = ["--", "results/b/samples/left_out.parquet"]
    done = snakemake(project, "--dry-run", "--printshellcmds", "--configfile", "b.yaml", *target)
    assert '"experiments": {"backend": {"fit": ["single"], "ask": "single"' in done.stdout + done.stderr
