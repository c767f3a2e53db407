"""The content-free difference, towards which each state is turned: its length stays what it was."""

from __future__ import annotations

from sociolect.steering.methods.content_free import READS, vectors

__all__ = ["MODE", "READS", "vectors"]

MODE = "rotate"
