"""One SLURM cluster for all tests of a run that ask for it, idle again after each of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import skip_here
from slurm.cluster import Cluster
from slurm.projects import Site
from slurm.table import CauseTable, write_block


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The running cluster. Without one its tests are skipped; in CI, where nobody reads skips, they fail."""
    if reason := Cluster.missing():
        skip_here(reason)
    root = Path(tempfile.mkdtemp(prefix="slurm-", dir="/var/tmp"))
    try:
        with Cluster(root) as running:
            yield running
    finally:
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(autouse=True)
def tidy_cluster(request: pytest.FixtureRequest) -> Iterator[None]:
    """End a test's jobs and repair what it broke, so that the next one finds an idle cluster."""
    used = "cluster" in request.fixturenames
    running: Cluster | None = request.getfixturevalue("cluster") if used else None
    yield
    if running:
        running.tidy()


@pytest.fixture
def site(cluster: Cluster) -> Iterator[Site]:
    """A project folder on the cluster. Not under /tmp: some tests mount a file system of their own there."""
    folder = Path(tempfile.mkdtemp(prefix="site-", dir="/var/tmp"))
    yield Site(folder, cluster)
    cluster.cancel_all()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def write_docs(request: pytest.FixtureRequest) -> Path | None:
    """The page that takes what the tests saw, with --write-docs."""
    return Path(__file__).parents[2] / "docs" / "slurm.md" if request.config.getoption("--write-docs") else None


@pytest.fixture(scope="session")
def cause_table(write_docs: Path | None) -> Iterator[CauseTable]:
    """What the tests of the causes injected, and the lines that were printed."""
    table = CauseTable()
    yield table
    if write_docs:
        write_block(write_docs, "injected", table.text(write_docs.read_text(encoding="utf-8")))
