"""The README's map: one line per file or folder, in the words of the file itself."""

from __future__ import annotations

import ast
import re
from itertools import takewhile
from pathlib import Path

from sociolect.common.errors import InputError

__all__ = ["file_map"]

# patterns in the order of the map; where a text stands beside one, the files do not speak for themselves
_ENTRIES: tuple[tuple[str, str], ...] = (
    ("Snakefile", ""),
    ("Makefile", ""),
    ("config/README.md", "The manual of the config: every key, and the input table."),
    # by name: a user's own stand beside them
    *((f"config/{name}.yaml", "") for name in ("demo", "quick", "scratch", "laptop", "one-gpu", "config")),
    *((f"profiles/{name}/config.yaml", "") for name in ("local", "slurm")),
    ("profiles/slurm/README.md", "What to edit for a site, with three examples."),
    ("profiles/slurm/causes.yaml", ""),
    ("profiles/slurm/job_env.sh", ""),
    ("workflow/rules/*.smk", ""),
    ("workflow/scripts/[!_]*.py", "One program per rule, of the rule's name: parse, call, write."),
    ("workflow/scripts/start_program.py", ""),
    ("workflow/scripts/sociolect/*/__init__.py", ""),
    ("workflow/tools/*.py", ""),
    ("workflow/prompts/*.yaml", ""),
    ("workflow/report/*", "Templates and captions of the report, of the comparison's page, and of the graphs."),
    ("workflow/export/*", "Cards of an export, its loader of the embedding net, its ten lines that steer."),
    ("workflow/schemas/*", "JSON Schema of the config, generated."),
    ("envs/*", "Pinned environments, for pip and for conda."),
    ("tests/unit/*/", "Tests of the library, a folder for each of its folders, a file for each module."),
    ("tests/programs/*/", "Programs run as a rule runs them, by rule file."),
    ("tests/workflow/", "The whole workflow: the demo, what a change reruns, what a kill leaves."),
    ("tests/slurm/", "A real cluster on this machine, and faults brought about on it."),
    ("tests/vllm/", "vLLM against the reference; in an environment of its own."),
    ("tests/benchmarks/", "The benchmarks' own arithmetic."),
    ("benchmarks/*.py", ""),
    ("benchmarks/*.sh", ""),
    ("docs/quickstart.md", "From a dump to a table of your own, on a laptop: every command, and what it prints."),
    ("docs/method.md", "Every step and definition, one answer walked through them, the artifacts."),
    (
        "docs/extending.md",
        "Describers, scorers, steering methods, metrics, importers, judges: what to write, and where.",
    ),
    ("docs/export.md", "Taking vectors, embedding net and tables of a run to other tools; answering once with them."),
    ("docs/results.md", "What came out on real text, with all baselines."),
    ("docs/benchmarks.md", "Speeds beside what a user would run instead, and how they are measured."),
    ("docs/slurm.md", "What a job does at its start, what watches it, every cause that `make why` knows."),
    ("docs/vllm.md", "Generating with vLLM: set-up, ways to steer, what is checked."),
    ("docs/troubleshooting.md", "What a message means and what to do, from the config to the answers."),
    ("docs/estimate.md", "What a run will take, before and after it."),
)


def file_map(root: Path) -> str:
    """Markdown table of the project at `root`.

    Raises:
        InputError: an entry matches nothing, or a file does not say what it is.
    """
    rows = ["| | |", "| --- | --- |"]
    for pattern, text in _ENTRIES:
        found = sorted(path for path in root.glob(pattern) if "__pycache__" not in path.parts)
        if not found:
            raise InputError(f"the map of the README names {pattern}, which matches nothing: mend file_map.py")
        if text:
            shown = {"workflow/scripts/[!_]*.py": "workflow/scripts/*.py"}.get(pattern, pattern)
            rows.append(f"| `{shown}` | {text} |")
            continue
        for path in found:
            name = path.parent if path.name == "__init__.py" else path
            rows.append(f"| `{name.relative_to(root).as_posix()}{'/' * (name != path)}` | {_about(path)} |")
    rows.append("| `results/<run>/` | All outputs: [docs/method.md](docs/method.md#artifacts). |")
    return "\n".join(rows)


def _about(path: Path) -> str:
    """The first sentence of a file about itself."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        said = ast.get_docstring(ast.parse(text)) or ""
    else:
        lines = text.removeprefix("#!/bin/sh\n").splitlines()
        comment = takewhile(lambda line: line.startswith("# "), lines)
        said = " ".join(line.removeprefix("# ") for line in comment)
    first = re.match(r"(.+?)(?:\.(?=\s|$)|\n\n|$)", said, re.DOTALL)
    if first is None:
        raise InputError(f"{path}: begin it with a sentence that says what it is, for the map of the README")
    return " ".join(first[1].replace("|", "\\|").split()) + "."
