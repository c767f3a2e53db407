"""The made-up corpus, and what is true of it."""
