"""What every program and every other folder stands on: errors, seeds, files, tables, digests, how a program runs."""
