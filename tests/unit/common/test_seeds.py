"""Seeds are the same everywhere."""

from __future__ import annotations

import subprocess
import sys

from sociolect.common.digests import SCRIPTS
from sociolect.common.seeds import seed_of, stable_hash


def test_seeds_are_the_same_everywhere() -> None:
    # first 8 bytes of SHA-256 of "1\x1fx", as `printf '1\037x' | sha256sum` prints them
    assert stable_hash(1, "x") == int("97616a4a473ee0c2", 16)
    look = "import sys; sys.path.insert(0, sys.argv[1]); from sociolect.common.seeds import seed_of; "
    code = look + "print(seed_of(1, 'a', 2))"
    other = subprocess.run([sys.executable, "-c", code, str(SCRIPTS)], capture_output=True, text=True, check=True)
    assert int(other.stdout) == seed_of(1, "a", 2) < 2**63
    assert len({seed_of(1, "a", "b"), seed_of(1, "ab"), seed_of(2, "a", "b")}) == 3
