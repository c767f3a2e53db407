"""From sentences about style to the catalogue of style attributes."""
