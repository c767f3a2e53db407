"""The eight conditions: their plan, and the answers to it."""
