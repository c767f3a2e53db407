"""From raw answers to samples with train, val and test."""
