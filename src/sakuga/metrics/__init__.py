"""Measures of pictures and of sets of pictures."""
