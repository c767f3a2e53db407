"""From generations to the comparison table and the report."""
