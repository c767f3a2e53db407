"""From style vectors to embeddings in which the answers of one group lie together, and group profiles."""
