"""SFAM, the style feature agreement model: does a text have a style attribute? (Patel et al. 2023, LISA)"""
