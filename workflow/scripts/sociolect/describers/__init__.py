"""Describers: what says which style attributes an answer has."""
