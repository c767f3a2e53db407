"""From generations to the comparison table."""
