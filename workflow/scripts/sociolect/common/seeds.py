"""Seeds and stable hashes: the only source of randomness is `seed_of(run_seed, *names)`."""

from __future__ import annotations

import hashlib


def stable_hash(*parts: object) -> int:
    """A 64-bit hash of the parts' text that is the same on every machine and in every process.

    Python's own `hash` is salted per process and must not decide anything that is written to disk.
    """
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def seed_of(run_seed: int, *names: object) -> int:
    """Seed for one purpose of one run, in [0, 2**63).

    Args:
        run_seed: config key `seed`.
        names: what the randomness is for, such as ("generation", question_id, sample).
    """
    return stable_hash(run_seed, *names) >> 1
