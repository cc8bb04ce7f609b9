"""Architectures, one file each; their parameter counts are tested against the published ones."""
