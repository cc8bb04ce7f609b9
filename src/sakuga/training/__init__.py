"""The trainer, one for every system, and what it keeps on disk."""
