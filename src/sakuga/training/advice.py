"""What a run's folders hold, and what to do when it is little."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from sakuga.data.images import find_images, left_out
from sakuga.errors import UsageError

FEW = 1000
NO_DATA = ("init", "cache")


def places(config: Any) -> dict[str, list[Path]]:
    """Return the files and folders of each field of a config that names data."""
    named = {}
    for field in fields(config):
        value = getattr(config, field.name)
        paths = list(value) if isinstance(value, tuple) else [value]
        if field.name not in NO_DATA and paths and all(isinstance(path, Path) for path in paths):
            named[field.name] = paths
    return named


def count_pictures(config: Any) -> dict[str, int]:
    """Return how many pictures each field of a config leads to."""
    counts = {}
    for name, paths in places(config).items():
        try:
            counts[name] = len(find_images(paths))
        except UsageError:  # some other file
            continue
    return counts


def passed_over(config: Any) -> list[str]:
    """Return a line for each field of a config whose folders hold files that are no pictures."""
    named = {name: left_out(places(config)[name]) for name in count_pictures(config)}
    return [
        f"left out of --{name.replace('_', '-')}, as no pictures: {files}" for name, files in named.items() if files
    ]


def few_pictures(config: Any) -> str:
    """Return a line of advice where pictures are few, else nothing; a single one is a painting, and meant."""
    few = {name: count for name, count in count_pictures(config).items() if 1 < count < FEW}
    if not few:
        return ""
    remedy = "more pictures or fewer --steps help"
    if not getattr(config, "augment", True):
        remedy = "--augment helps, and more pictures do"
    counts = ", ".join(f"{count} in --{name.replace('_', '-')}" for name, count in few.items())
    return f"few pictures ({counts}): below {FEW:,} a training may learn them by heart; {remedy}."
