"""The page on which a run's texts are looked at: one by one beside each other, on a map, and counted by judge."""
