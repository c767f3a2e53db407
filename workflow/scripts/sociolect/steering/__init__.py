"""Attribute vectors, group vectors, and the choice of strength and layers."""
