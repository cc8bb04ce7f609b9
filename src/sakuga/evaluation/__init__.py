"""How good a style is, in figures."""
