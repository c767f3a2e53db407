"""What others can use of a run: vectors, embedding net and tables in formats of their own, and answering with them."""
