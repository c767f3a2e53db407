"""Measured style: rates of words, marks and lengths, and the attributes that thresholds on them give."""
