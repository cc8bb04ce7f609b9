"""Pairs of pictures: two folders with equal names, or one folder of pictures side by side."""

from pathlib import Path

from sakuga.data.images import find_images
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError


def load_pairs(inputs: Path, targets: Path | None, *, short_side: int | None = None) -> tuple[Pictures, Pictures]:
    """Return inputs and targets, picture i of one belonging to picture i of the other.

    Args:
        inputs: folder of input pictures; without `targets`, of pictures that show input and target side by side.
        targets: folder of target pictures whose names, without suffix, are those of the inputs.
        short_side: all pictures are scaled until their shorter side is this.

    Raises:
        UsageError: no folder, twice the same, a name without a partner, or partners that differ in shape.
        SakugaError: a picture cannot be read, or is too narrow to be halved.
    """
    if targets is None:
        left = Pictures([inputs], short_side=short_side, half="left")
        right = Pictures([inputs], short_side=short_side, half="right")
        return left, right
    for place in (inputs, targets):
        if place.is_file():
            raise UsageError(f"{place} is a file; name a folder.")
    if inputs.resolve() == targets.resolve():
        raise UsageError(f"{inputs} holds inputs and targets; the two must be different folders.")
    found = [_by_name(folder) for folder in (inputs, targets)]
    alone = sorted(found[0].keys() ^ found[1].keys())
    if alone:
        side, other = (inputs, targets) if alone[0] in found[0] else (targets, inputs)
        raise UsageError(
            f"{side / alone[0]} has no partner in {other} ({len(alone)} such names); "
            "pairs must have the same name in both folders."
        )
    names = sorted(found[0])
    first, second = (Pictures([paths[name] for name in names], short_side=short_side) for paths in found)
    for path, (height, width), (tall, wide) in zip(first.paths, first.sizes, second.sizes, strict=True):
        if abs(height - tall) > 2 or abs(width - wide) > 2:
            raise UsageError(
                f"{path} is {width}x{height} but its partner {wide}x{tall} (after scaling); a pair must show one view."
            )
    return first, second


def _by_name(folder: Path) -> dict[Path, Path]:
    """Map each picture's place below the folder, without suffix, to its path."""
    found: dict[Path, Path] = {}
    for path in find_images([folder]):
        name = path.relative_to(folder).with_suffix("")
        if name in found:
            raise UsageError(f"{path} and {found[name].name} have the same name; keep one of them.")
        found[name] = path
    return found
