"""Tests on a real SLURM cluster of this machine."""
