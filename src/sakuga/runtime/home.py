"""Where a user's own files are."""

import os
from pathlib import Path


def expand_user(path: str | os.PathLike[str]) -> Path:
    """Return a path with ~ replaced; a user who has no home has the root, as containers do it for unknown ids."""
    found = os.path.expanduser(path)
    return Path(found if found[:2] != "~/" and found != "~" else f"/{found[2:]}")
