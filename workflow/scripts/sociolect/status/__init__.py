"""What a run does now: jobs done and left, when it will end, what its GPUs do; as a table, and below a run's lines."""
