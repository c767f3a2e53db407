"""The workflow on SLURM: submitting, watching, stopping, and saying why a job did not do its work."""
