"""How many pictures a run's folders hold, and what to do when it is little."""

from typing import Any

from sakuga.data.images import find_images, left_out, unreadable
from sakuga.systems.fields import flag, places, roles

FEW = 1000


def count_pictures(config: Any) -> dict[str, int]:
    """Return how many pictures each field of a config leads to."""
    return {name: len(find_images(paths)) for name, paths in places(config).items()}


def passed_over(config: Any) -> list[str]:
    """Return a line for each field of a config whose folders hold files that are no pictures."""
    named = {name: left_out(paths) for name, paths in places(config).items()}
    return [f"left out of {flag(name)}, as no pictures: {files}" for name, files in named.items() if files]


def unreadable_folders(config: Any) -> list[str]:
    """Return a sentence for each folder below those of a config that cannot be read."""
    return unreadable(place for paths in places(config).values() for place in paths)


def few_pictures(config: Any) -> str:
    """Return a line of advice where pictures to be trained on are few, else nothing."""
    many = {name for name, role in roles(type(config)).items() if role.training and role.of != "picture"}
    few = {name: count for name, count in count_pictures(config).items() if name in many and count < FEW}
    if not few:
        return ""
    remedy = "more pictures or fewer --steps help"
    if not getattr(config, "augment", True):
        remedy = "--augment helps, and more pictures do"
    counts = ", ".join(f"{count} in {flag(name)}" for name, count in few.items())
    return f"few pictures ({counts}): below {FEW:,} a training may learn them by heart; {remedy}."
