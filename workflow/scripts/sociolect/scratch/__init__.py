"""Small models trained from scratch: no network, no GPU."""
