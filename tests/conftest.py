"""Fixtures: a checkout of the project in a folder of its own, and one finished run of the demo for all tests."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
# fixtures whose tests run Snakemake or the demo, or download
SLOW = {"demo", "project", "checkout", "gemma"}
# the tests call make as a user does, not as a part of the make that runs them
for _name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
    os.environ.pop(_name, None)
# under nohup their programs would not know that a terminal is lost; a handler is not passed on to them, ignoring is
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda number, frame: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-docs", action="store_true", help="write what the tests of the cluster saw into docs/")
    parser.addoption(
        "--demo", metavar="FOLDER", help="--demo=FOLDER of a checkout with a finished demo; made there if need be"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Markers by folder and by fixture, an order for workers side by side; what is long only where that is asked."""
    for item in items:
        place = item.path.relative_to(TESTS)
        if marker := {"slurm": "cluster", "vllm": "vllm"}.get(place.parts[0]):
            item.add_marker(marker)
        if SLOW & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    if not os.environ.get("SOCIOLECT_LONG"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """The demo is under way before others wait for it, and what needs it comes last."""
    of_workflow = item.path.is_relative_to(TESTS / "workflow")
    if item.path.name == "test_demo.py":
        return 0 if of_workflow else 2
    return 2 if of_workflow else 1


def copy_project(folder: Path) -> Path:
    """The project's files as git knows them, tracked or new, in another folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replace what stands in a file exactly once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def snakemake(folder: Path, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the workflow in a checkout as a user would, with this interpreter's Snakemake."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *args], cwd=folder, capture_output=True, text=True
    )
    if check and done.returncode:
        logs = "\n".join(f"--- {p.name}\n{p.read_text()[-2000:]}" for p in folder.glob("results/*/logs/**/*.log"))
        pytest.fail(f"snakemake {' '.join(args)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n{logs[-6000:]}")
    return done


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """make in a checkout, with this interpreter's environment, which is not made anew."""
    if not (folder / ".venv").exists():
        (folder / ".venv").symlink_to(sys.prefix)
    return subprocess.run(["make", "STAMP=", "CORES=1", *words], cwd=folder, capture_output=True, text=True)


def skip_here(reason: str) -> NoReturn:
    """Skip a test that this machine cannot run; in CI, where nobody reads skips, it fails."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """torch on one thread: tiny models gain nothing from more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh checkout without results."""
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="session")
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the demo has run to its end. Do not write into it: take `demo_copy`."""
    if given := request.config.getoption("--demo"):
        return finished_demo(Path(given).resolve())
    return finished_demo(shared_base(tmp_path_factory) / "demo")


@pytest.fixture(scope="session")
def gemma(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of gemma-3-270m. Do not write into it."""
    # imports this file
    from pretrained import finished_gemma

    given = request.config.getoption("--demo")
    return finished_gemma((Path(given).resolve() if given else shared_base(tmp_path_factory)) / ".gemma")


def shared_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that the workers of one run share: theirs lie in it side by side."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def finished_demo(folder: Path) -> Path:
    """The demo in this folder, run by whoever comes first; the others wait for it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "results/demo/report.html").is_file():
            copy_project(folder)
            snakemake(folder, "--profile", "profiles/local")
    return folder


@pytest.fixture
def demo_copy(demo: Path, tmp_path: Path) -> Path:
    """The finished demo in a folder of its own: today's code, the results and Snakemake's records."""
    return demo_in(demo, tmp_path / "copy")


def demo_in(demo: Path, folder: Path) -> Path:
    """The finished demo in another folder."""
    copy_project(folder)
    for name in ("results", ".snakemake"):
        shutil.copytree(demo / name, folder / name, symlinks=True)
    return folder
