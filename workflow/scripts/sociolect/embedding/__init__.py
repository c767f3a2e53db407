"""From style vectors to embeddings in which the answers of one group lie together (N5-N9, N20)."""
