"""A run that fails ends with what its own jobs say, each with rule and log, and with no word of other runs."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from conftest import snakemake
from sociolect.preflight.table_faults import ROWS, WHOLE_BYTES

HEADER = "question_id,question,answer_id,answer,author,group\n"
CONFIG = """run: {run}
experiments: {{main: {{fit: [single], ask: multi}}}}
corpus: {{paths: {{single: {run}-single.csv, multi: {run}-multi.csv}}}}
"""


def fail(project: Path, run: str) -> subprocess.CompletedProcess[str]:
    """A run of this name whose two tables are wrong."""
    (project / f"{run}.yaml").write_text(CONFIG.format(run=run))
    # of large tables a run looks at the first rows before its jobs do
    texts = ["x"] * ROWS + ["x" * (WHOLE_BYTES // 200)] * 200
    fine = "".join(f"q,Q,a{number},{text},,g\n" for number, text in enumerate(texts))
    (project / f"{run}-single.csv").write_text(f"{HEADER}{fine}q,Q,b\n")
    (project / f"{run}-multi.csv").write_text(f"{HEADER}{fine}q,Q,b,of no group,,NULL\n")
    given = ["--configfile", f"{run}.yaml", "--keep-going"]
    done = snakemake(project, "--profile", "profiles/local", *given, check=False)
    assert done.returncode == 1
    return done


def test_a_failed_run_ends_with_its_own_faults_alone(project: Path) -> None:
    fail(project, "theirs")
    # theirs goes on failing beside ours
    for beat in (project / "results/theirs/logs").rglob("*.beat"):
        beat.write_text(json.dumps({**json.loads(beat.read_text()), "time": time.time() + 1000}))
    done = fail(project, "ours")
    logs = "results/ours/logs/import_corpus"
    first, group, second, fields = done.stderr.splitlines()[-4:]
    assert first == f"failed: import_corpus [multi], log {logs}/multi.log"
    assert group.startswith("error: ours-multi.csv: row 1201, column 'group': 'NULL' stands for")
    assert second == f"failed: import_corpus [single], log {logs}/single.log"
    assert fields.startswith("error: ours-single.csv: row 1201 (line 1202) has 3 fields")
    said = done.stdout + done.stderr
    assert "theirs" not in said and "no job failed" not in said
    # mended, nothing of it is said any more
    (project / "ours-single.csv").write_text(f"{HEADER}q,Q,a1,fine enough to be kept,,g\n")
    target = ["--configfile", "ours.yaml", "--", "results/ours/corpus/single.parquet"]
    again = snakemake(project, "--profile", "profiles/local", *target)
    assert "failed:" not in again.stderr and "error:" not in again.stderr


def test_a_table_that_is_wrong_ends_the_run_before_its_first_job(project: Path) -> None:
    (project / "ours.yaml").write_text(CONFIG.format(run="ours"))
    for split, rows in (("single", "q,Q,a2\n"), ("multi", "q,Q,a1,fine enough to be kept,,NULL\n")):
        (project / f"ours-{split}.csv").write_text(HEADER + rows)
    done = snakemake(project, "--profile", "profiles/local", "--configfile", "ours.yaml", check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "Finished jobid" not in said and "Traceback" not in said
    assert "ours.yaml: line 3, key 'corpus.paths.single': ours-single.csv: row 1 (line 2) has 3 fields" in said
    assert (
        "ours.yaml: line 3, key 'corpus.paths.multi': ours-multi.csv: row 1, column 'group': 'NULL' stands for" in said
    )
    # only what is asked for is looked at, and groups where they are counted
    (project / "ours-multi.csv").write_text(HEADER + "q,Q,a1,fine enough to be kept,,g\n")
    target = ["--configfile", "ours.yaml", "--", "results/ours/corpus/multi.parquet"]
    snakemake(project, "--profile", "profiles/local", *target)
