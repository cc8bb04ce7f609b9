"""Where a user's own files are."""

import os
from pathlib import Path
from typing import Literal


def expand_user(path: str | os.PathLike[str]) -> Path:
    """Return a path with ~ replaced; a user who has no home has the root, as containers do it for unknown ids."""
    found = os.path.expanduser(path)
    return Path(found if found[:2] != "~/" and found != "~" else f"/{found[2:]}")


def user_folder(kind: Literal["data", "cache"]) -> Path:
    """Return the folder that this platform keeps for sakuga's `kind` of files; nothing is made."""
    from platformdirs import PlatformDirs

    places = PlatformDirs("sakuga", appauthor=False, roaming=True)
    try:
        return places.user_data_path if kind == "data" else places.user_cache_path
    except RuntimeError:  # nobody's home
        return expand_user("~/.local/share/sakuga" if kind == "data" else "~/.cache/sakuga")


def cache_folder() -> Path:
    """Return where `sakuga download` keeps weights: $SAKUGA_CACHE, or sakuga in the user's cache folder."""
    if "SAKUGA_CACHE" in os.environ:
        return Path(os.environ["SAKUGA_CACHE"])
    return user_folder("cache")
