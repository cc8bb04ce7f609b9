"""A trained network becomes a style file."""
