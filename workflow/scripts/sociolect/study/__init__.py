"""Studies: what many cells of a grid tell, each a job of its own."""
