"""What runs below everything: files, memory, cores."""
