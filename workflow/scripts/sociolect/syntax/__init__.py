"""Syntax: parts of speech and dependency relations of answers, and what is counted of them."""
