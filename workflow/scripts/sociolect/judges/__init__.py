"""Judges of texts that share nothing with SFAM and the net, their ceilings on human texts, and whether they agree."""
