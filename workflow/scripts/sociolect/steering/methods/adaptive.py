"""The content-free difference, of which each token gets only what its projection lacks."""

from __future__ import annotations

from sociolect.steering.methods.content_free import READS, vectors

__all__ = ["MODE", "READS", "vectors"]

MODE = "adaptive"
