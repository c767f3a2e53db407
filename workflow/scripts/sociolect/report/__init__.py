"""The report of a run: what was found in five sentences, figures, tables, one page."""
