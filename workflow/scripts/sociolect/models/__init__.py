"""The two models: pinned snapshots, and loading them offline."""
