"""Each cause of "the program does not start", brought about on a real cluster: `make why` names it, and with the
workflow's normal configuration it does not happen, or the run gets past it by itself."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

from slurm.cluster import Cluster
from slurm.projects import Site
from slurm.table import CauseTable

ONE = "out/a.txt"
PLAIN = """
rule work:
    output: "out/{name}.txt"
    log: "logs/{name}.log"
    shell: "@python workflow/scripts/start_program.py --interpreter @python --gpus 0 working --out {output} "
           "--heartbeat {log}.beat > {log} 2>&1"
"""
WORKING = """
import os, sys, time
from pathlib import Path
time.sleep(0.5)
Path(sys.argv[sys.argv.index("--out") + 1]).write_text(os.environ["SOCIOLECT_JOB_TMP"])
"""


def made(site: Site) -> bool:
    return (site.folder / ONE).is_file()


def only(cluster: Cluster, *nodes: str) -> None:
    for node in cluster.nodes():
        (cluster.resume if node in nodes else cluster.drain)(node)


def fails_on_node03_and_then_goes_elsewhere(site: Site, cause: str, stage: str) -> str:
    """The first attempt finds node03 alone, fails there and blames it; the second one must go elsewhere by itself."""
    only(site.cluster, "node03")
    with site.running(ONE) as snakemake:
        job = site.wait_state("FAILED")
        line = site.named(cause, job, "node03", stage)
        site.wait_for("the node's record", (site.folder / ".snakemake/sociolect/bad_nodes/node03").is_file)
        only(site.cluster, "node01", "node02", "node03")
        assert site.end(snakemake) == 0, site.output()
    _, second = site.jobs()
    assert second.attempt == 2 and site.state(second.job)["NodeList"] != "node03"
    assert f"[why] {job.label}: job {job.job}" in site.output() and f"Cause {cause}" in site.output()
    assert made(site)
    return line


def test_a_gpus_spread_over_two_nodes(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN.replace("    shell:", "    resources: gpu=2, slurm_partition='gpu'\n    shell:"))
    site.program("working", WORKING)
    holders = [cluster.submit("sleep 60", "--partition=gpu", f"--gpus={model}:1") for model in ("a100", "h100")]
    # as a profile without `nodes: 1` asks: one free GPU here and one there will do
    spread = ["--default-resources", "mem_mb=1300", "runtime=5", "slurm_account=default", "--retries=0"]
    with site.running(*spread, ONE) as snakemake:
        job = site.wait_state("FAILED")
        line = site.named("A", job, "node[01-02]", "preflight")
        assert site.end(snakemake) == 1
    with site.running(ONE) as snakemake:
        site.wait_state("PENDING")
        site.wait_for("its reason", lambda: "(Resources)" in site.why())
        assert site.state(site.jobs()[0].job)["NumNodes"].startswith("1")
        cluster.run("scancel", *map(str, holders))
        assert site.end(snakemake) == 0, site.output()
    assert made(site)
    normally = "With `nodes: 1` of the profile the same request waits until one node has both GPUs, and runs there."
    cause_table.add("A", "`gpu: 2` without `nodes: 1` while two nodes have one free GPU each", line, normally)


def test_b_srun_inside_the_rule(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN.replace('shell: "@python', 'shell: "srun -n1 @python'))
    site.program("working", WORKING)
    with site.running("--retries=0", ONE) as snakemake:
        job = site.wait_state("RUNNING")
        site.wait_for("the watcher's word", lambda: "[stuck] work [name=a]" in site.output(), 110)
        line = site.named("B", job, site.state(job.job)["NodeList"])
        cluster.run("scancel", job.job)
        assert site.end(snakemake) == 1
    rules = (site.folder / "workflow/rules").glob("*.smk")
    assert not [path for path in rules if "srun" in path.read_text()]
    normally = "No rule of the workflow calls srun (the same test looks)."
    cause_table.add("B", "`srun` before the program in the rule", line, normally)


RACE = """
rule install:
    output: "out/{name}.txt"
    log: "logs/{name}.log"
    shell: "for i in 1 2 3 4 5 6; do [ ! -e logs/failed ] || break; @env/bin/python -m pip install -q --no-index "
           "--no-deps --force-reinstall --disable-pip-version-check @wheel || true; done > {log} 2>&1; touch {output}"
rule use:
    output: "used.txt"
    log: "logs/use.log"
    shell: "for i in $(seq 400); do @env/bin/python -c 'import shared_by_jobs.last' || "
           "{{ touch logs/failed; exit 1; }}; done > {log} 2>&1; touch {output}"
"""


def bare_environment(folder: Path) -> tuple[Path, Path]:
    """An environment that has this one's packages, and the folder for packages of its own."""
    env = folder / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(env)], check=True)
    (site_packages,) = (env / "lib").glob("python*/site-packages")
    (site_packages / "all.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")) + "\n")
    return env, site_packages


def small_environment(folder: Path) -> tuple[Path, Path]:
    """An environment with pip and Snakemake's packages, and the wheel of a package that takes a while to unpack."""
    env, _ = bare_environment(folder)
    package = folder / "wheel/shared_by_jobs"
    package.mkdir(parents=True)
    for number in range(600):
        (package / f"m{number}.py").write_text(f"x = {number}\n")
    for name in ("__init__", "last"):
        (package / f"{name}.py").write_text("")
    (folder / "wheel/pyproject.toml").write_text('[project]\nname = "shared-by-jobs"\nversion = "1"\n')
    info = folder / "wheel/shared_by_jobs-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shared-by-jobs\nVersion: 1\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    (info / "RECORD").write_text("")
    wheel = folder / "shared_by_jobs-1-py3-none-any.whl"
    program = "import shutil, sys; shutil.make_archive(sys.argv[1], 'zip', sys.argv[2])"
    subprocess.run([sys.executable, "-c", program, str(wheel), str(folder / "wheel")], check=True)
    Path(f"{wheel}.zip").rename(wheel)
    install = [str(env / "bin/python"), "-m", "pip", "install", "-q", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True)
    return env, wheel


def test_c_jobs_that_install_into_one_environment(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    env, wheel = small_environment(site.folder)
    site.rules(RACE.replace("@env", str(env)).replace("@wheel", str(wheel)))
    with site.running("--retries=0", "--keep-going", "out/a.txt", "out/b.txt", "used.txt") as snakemake:
        assert site.end(snakemake) == 1, site.output()
    (job,) = [job for job in site.jobs() if job.rule == "use"]
    line = site.named("C", job, site.state(job.job)["NodeList"])
    # as the workflow has it: an environment with a stamp, and no installs in jobs
    site.rules(PLAIN + '\nrule install:\n    output: "b"\n    log: "b.log"\n'
               '    shell: "@python -m pip install a-package-of-the-index > {log} 2>&1; touch {output}"\n')  # fmt: skip
    site.program("working", WORKING)
    with site.running("--retries=0", "b") as snakemake:
        assert site.end(snakemake) == 1
    site.named("C", site.jobs()[0], site.state(site.jobs()[0].job)["NodeList"])
    (site.folder / "envs/core.txt").write_text("other==1\n")
    with site.running("--retries=0", ONE) as snakemake:
        job = site.wait_state("FAILED")
        assert "has not the stamp" in site.named("C", job, site.state(job.job)["NodeList"], "preflight")
        assert site.end(snakemake) == 1
    normally = (
        "`make setup` makes the environment once and stamps it with the sum of its pins; a job with another stamp ends "
        "before anything is imported, and pip in a job finds no index."
    )
    cause_table.add("C", "two jobs that pip-install into the environment of a third", line, normally)


def test_d_interpreter_missing_on_one_node(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN)
    site.program("working", WORKING)
    real = Path(sys.executable).resolve()
    with cluster.changed_node("node03", [f"mount -t tmpfs none {real.parent}"]):
        line = fails_on_node03_and_then_goes_elsewhere(site, "D", "preflight")
    assert ".venv/bin/python is a link to " in line and "which is not on node03" in line
    normally = "The node is recorded and kept out; the second attempt ran elsewhere, by itself."
    cause_table.add("D", "the folder with the environment's Python hidden on one node", line, normally)


def test_e_project_folder_missing_on_one_node(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN)
    site.program("working", WORKING)
    with cluster.changed_node("node03", [f"mount -t tmpfs none {site.folder}"]):
        line = fails_on_node03_and_then_goes_elsewhere(site, "E", "before the job's first line")
    normally = "The node is recorded by the run itself and kept out; the second attempt ran elsewhere."
    cause_table.add("E", "the project's folder hidden on one node", line, normally)


def test_f_python_from_the_path(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    base = Path(sys.base_prefix) / "bin"
    site.rules(PLAIN.replace('shell: "@python', f'shell: "PATH={base}:$PATH python3'))
    site.program("working", WORKING)
    with site.running("--retries=0", ONE) as snakemake:
        job = site.wait_state("FAILED")
        line = site.named("F", job, site.state(job.job)["NodeList"], "exec")
        assert site.end(snakemake) == 1
    rules = "".join(path.read_text() for path in (site.folder / "workflow/rules").glob("*.smk"))
    shells = re.findall(r"^ +shell:\n +(\w+)\(", rules, re.MULTILINE)
    # a rule without output is the name of a target
    assert len(shells) == len(re.findall(r"^ +output:", rules, re.MULTILINE)) and set(shells) == {"command"}
    normally = "Every rule takes its absolute interpreter from `command()` in workflow/rules/common.smk."
    cause_table.add("F", "`python3` in the rule, with another Python first on PATH", line, normally)


def test_h_too_little_memory(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN)
    site.program("working", WORKING)
    with site.running("--set-resources", "work:mem_mb=60", "--retries=0", "--", ONE) as snakemake:
        job = site.wait_state("OUT_OF_MEMORY", "FAILED")
        line = site.named("H", job, site.state(job.job)["NodeList"])
        assert site.end(snakemake) == 1
    # what grows with the attempt gets through; a rule that says nothing has the profile's 1300
    grows = PLAIN.replace(
        "    shell:", "    resources: mem_mb=lambda wildcards, attempt: 60 if attempt == 1 else 1300\n    shell:"
    )
    site.rules(grows)
    assert site.run(ONE) == 0 and [job.attempt for job in site.jobs()] == [1, 2]
    normally = (
        "Every `mem_mb` is the program's need plus 300 MB and grows with the attempt: the second one went through."
    )
    cause_table.add("H", "`mem_mb=60` for a job with two Snakemakes in it", line, normally)


def test_j_hub_out_of_reach(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN)
    site.program("working", 'from transformers import AutoTokenizer\nAutoTokenizer.from_pretrained("a/model")\n')
    began = time.monotonic()
    with site.running("--retries=0", ONE) as snakemake:
        job = site.wait_state("FAILED")
        assert time.monotonic() - began < 45, "it should fail at once, not after retries"
        line = site.named("J", job, site.state(job.job)["NodeList"])
        assert site.end(snakemake) == 1
    models = (site.folder / "workflow/rules/models.smk").read_text()
    assert "localrule: True" in models.partition("rule fetch_model:")[2].partition("shell:")[0]
    normally = "Jobs are offline, so this fails at once instead of hanging; models are fetched by one local rule."
    cause_table.add("J", "a program that loads a model by its hub name", line, normally)


def test_k_jobs_that_wait(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN.replace("    shell:", "    resources: gpu=1, slurm_partition='gpu'\n    shell:"))
    site.program("working", WORKING)
    only(cluster, "node03")
    with site.running(ONE) as snakemake:
        job = site.wait_state("PENDING")
        site.wait_for("the watcher's word", lambda: "[waiting] work [name=a]" in site.output(), 30)
        line = site.named("K", job, "no node yet")
        assert "down, drained or reserved" in line
        cluster.run("scontrol", "hold", job.job)
        assert "held by" in site.named("K", job, "no node yet")
        cluster.run("scontrol", "release", job.job)
        only(cluster, "node01", "node02", "node03")
        assert site.end(snakemake) == 0, site.output()
    normally = "The reason is printed while the run waits, once per reason and again every quarter of an hour."
    cause_table.add("K", "all nodes with GPUs drained", line, normally)


def test_l_temporary_folder_full_or_missing(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN)
    site.program("working", WORKING)
    # an environment that lies there itself stays in sight
    here, kept = sys.prefix, site.folder / "kept"
    keep = [f"mkdir {kept} && mount --bind {here} {kept}"]
    back = [f"mkdir -p {here} && mount --bind {kept} {here}"]
    small = ["mount -t tmpfs -o size=1m none /tmp"]
    with cluster.changed_node("node03", [*keep, *small, *back] if here.startswith("/tmp/") else small):
        line = fails_on_node03_and_then_goes_elsewhere(site, "L", "preflight")
    # a folder that is not there on the node is passed over
    (site.folder / ONE).unlink()
    (site.folder / ".snakemake/sociolect/bad_nodes/node03").unlink()
    missing = "/a/folder/of/the/login/node"
    site.variables |= {"TMPDIR": missing, "SOCIOLECT_TMP": missing}
    assert site.run(ONE) == 0, site.output()
    slurm_log = Path(site.jobs()[0].slurm_log)
    assert f"tmp=/tmp (not: {missing} is not there" in slurm_log.read_text()
    caches = Path((site.folder / ONE).read_text())
    site.wait_for("the end of the job", lambda: "[end]" in slurm_log.read_text(), 30)
    assert caches.parent == Path("/tmp") and not caches.exists(), slurm_log.read_text()
    normally = "A TMPDIR that is only there on the login node is passed over for /tmp; a node without room is kept out."
    cause_table.add("L", "/tmp with 1 MB on one node", line, normally)


BUFFERED = """
rule work:
    output: "out/{name}.txt"
    log: "logs/{name}.log"
    params: env=lambda wildcards: "env -u PYTHONUNBUFFERED" if wildcards.name == "M" else ""
    shell: "{params.env} @python -c 'import time; print(\\"at work\\"); time.sleep(600)' > {log} 2>&1"
"""


def test_m_output_in_a_buffer(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(BUFFERED)
    # both at once: the controller looks for jobs beyond their limit every half a minute only
    with site.running("--retries=0", "out/M.txt", "out/T.txt") as snakemake:
        jobs = {site.wait_state("RUNNING", number=number).wildcards: number for number in (0, 1)}
        for cause in "MT":
            site.wait_for("the rule's log", (site.folder / f"logs/{cause}.log").exists, 30)
        time.sleep(1)
        for job in site.jobs():
            cluster.run("scontrol", "update", f"jobid={job.job}", "EndTime=now+1")
        lines = {}
        for cause in "MT":
            job = site.wait_state("TIMEOUT", number=jobs[f"name={cause}"], timeout=90)
            lines[cause] = site.named(cause, job, site.state(job.job)["NodeList"])
        assert site.end(snakemake) == 1
    assert "last line at work" in lines["T"]
    normally = (
        "With PYTHONUNBUFFERED=1, as in every job, the program's last line is in its log and in the line of `make why`."
    )
    cause_table.add("M", "a program without flushing, ended by its time limit", lines["M"], normally)


def test_n_rule_that_forgot_its_gpu(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    forgot = PLAIN.replace("--gpus 0", "--gpus 1")
    site.rules(forgot)
    site.program("working", WORKING)
    with site.running("--retries=0", ONE) as snakemake:
        job = site.wait_state("FAILED")
        line = site.named("N", job, site.state(job.job)["NodeList"], "exec")
        assert site.end(snakemake) == 1
    # a program that needs none sees none, even if the job was given one
    shows = "import os, sys\nprint('SEES', repr(os.environ.get('CUDA_VISIBLE_DEVICES')))\n" + WORKING
    site.program("working", shows)
    site.rules(PLAIN.replace("    shell:", "    resources: gpu=1, slurm_partition='gpu'\n    shell:"))
    assert site.run(ONE) == 0
    assert "SEES ''" in (site.folder / "logs/a.log").read_text()
    normally = (
        "Every rule whose program needs a GPU asks for one (tests/workflow/test_graphs.py); a CPU program sees none."
    )
    cause_table.add("N", "a program that needs a GPU in a rule that asks for none", line, normally)


def test_o_cancelled_by_hand(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN)
    site.program("working", WORKING.replace("0.5", "4"))
    with site.running(ONE) as snakemake:
        job = site.wait_state("RUNNING")
        node = site.state(job.job)["NodeList"]
        cluster.run("scancel", job.job)
        site.wait_state("CANCELLED")
        line = site.named("O", job, node)
        assert site.end(snakemake) == 0, "the plugin alone waits for ever: " + site.output()
    assert [entry.attempt for entry in site.jobs()] == [1, 2] and made(site)
    normally = (
        "The job is submitted again and the run ends complete; with the plugin's own sacct query it waits without end."
    )
    cause_table.add("O", "scancel on a running job", line, normally)


def test_q_import_that_does_not_come_back(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN)
    (site.folder / "library").mkdir()
    (site.folder / "library/slow_library.py").write_text("import time\ntime.sleep(600)\n")
    site.program("working", "import sys\nsys.path.insert(0, 'library')\nimport slow_library\n" + WORKING)
    site.variables["SOCIOLECT_IMPORT_LIMIT_S"] = "4"
    with site.running("--retries=0", ONE) as snakemake:
        job = site.wait_state("FAILED")
        line = site.named("Q", job, site.state(job.job)["NodeList"], "imports")
        assert "slow_library.py" in line and "working.py, line 3" in line
        assert site.end(snakemake) == 1
    normally = "The watchdog ends such a job after SOCIOLECT_IMPORT_LIMIT_S (900 s; 4 s here), its stack in the log."
    cause_table.add("Q", "a library whose import sleeps", line, normally)


def test_w_stage_without_progress(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN)
    hangs = """
import sys, time
from pathlib import Path
from sociolect.common.heartbeat import write_beat
write_beat(Path(sys.argv[sys.argv.index("--heartbeat") + 1]), "model", limit_s=5)
time.sleep(600)
"""
    site.program("working", hangs)
    with site.running("--retries=0", ONE) as snakemake:
        job = site.wait_state("RUNNING")
        site.wait_for("the program's stage", lambda: '"model"' in site.text("logs/a.log.beat"))
        assert "no job failed, hangs or waits" in site.why(), "within its limit nothing is said"
        site.wait_for("the watcher's word", lambda: "[stuck] work [name=a]" in site.output(), 20)
        line = site.named("W", job, site.state(job.job)["NodeList"], "stage: model")
        cluster.run("scancel", job.job)
        assert site.end(snakemake) == 1
    normally = "Named as soon as the stage's limit is over (1800 s for `model`; 5 s here), while the job runs."
    cause_table.add("W", "a program that hangs while it loads its model", line, normally)


def test_s_one_bad_node_eats_all_retries(site: Site, cluster: Cluster, cause_table: CauseTable) -> None:
    site.rules(PLAIN.replace("    shell:", "    resources: slurm_partition='solo'\n    shell:"))
    site.program("working", WORKING)
    real = Path(sys.executable).resolve().parent
    with cluster.changed_node("node03", [f"mount -t tmpfs none {real}"]):
        # a partition of one node: nowhere else to go
        assert site.run(ONE, timeout=180) == 1, site.output()
        assert [site.state(job.job)["NodeList"] for job in site.jobs()] == ["node03"] * 3
        line = site.named("S", site.jobs()[2], "node03", "preflight")
        assert "failed 3 attempts" in line
        # where there is another node the second attempt takes it, and jobs that wait already are kept off it
        (site.folder / ".snakemake/sociolect/bad_nodes/node03").unlink()
        site.rules(PLAIN)
        only(cluster, "node03")
        names = [f"out/{name}.txt" for name in "abcdefghijkl"]
        with site.running("--jobs=12", "--set-resources", "work:mem_mb=30000", "--", *names) as snakemake:
            site.wait_for("a failure", lambda: "Cause D" in site.output(), 60)
            only(cluster, "node01", "node02", "node03")
            assert snakemake.wait(150) == 0, site.output()
    on_node03 = [job for job in site.jobs() if site.state(job.job)["NodeList"] == "node03"]
    assert len(on_node03) <= 4, "jobs that waited went to the bad node although it was known"
    normally = "Where there is another node the retry goes there, and jobs that wait already are kept off the bad one."
    cause_table.add("S", "the interpreter missing on the only node of a partition", line, normally)
