"""The verbs of the command `sakuga`, one file each."""
