"""SFAM, the style feature agreement model: pairs, training, fast scoring, and its student."""
