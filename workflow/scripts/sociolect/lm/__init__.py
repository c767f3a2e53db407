"""The language model: prompts, requests, the backends that answer them, reading and adding to its residual stream."""
