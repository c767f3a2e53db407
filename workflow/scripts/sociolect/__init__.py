"""Sociolect: learn how social groups write, and steer a language model towards a group's style."""

__version__ = "0.1.0"
