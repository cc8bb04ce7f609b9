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
        UsageError: a name without a partner, or partners that differ in shape.
        SakugaError: a picture cannot be read, or is too narrow to be halved.
    """
    if targets is None:
        left = Pictures([inputs], short_side=short_side, half="left")
        right = Pictures([inputs], short_side=short_side, half="right")
        return left, right
    found = [_by_name(folder) for folder in (inputs, targets)]
    alone = sorted(found[0].keys() ^ found[1].keys())
    if alone:
        side, other = (inputs, targets) if alone[0] in found[0] else (targets, inputs)
        raise UsageError(
            f"{side / alone[0]} has no partner in {other} ({len(alone)} such names): "
            "pairs must have the same name in both folders"
        )
    names = sorted(found[0])
    first, second = (Pictures([paths[name] for name in names], short_side=short_side) for paths in found)
    refuse_other_shapes(first, second)
    return first, second


def find_partners(pictures: Pictures, folder: Path) -> list[Path]:
    """Return the picture of a folder that has the name of each of a collection, whatever else the folder holds.

    Raises:
        UsageError: one is missing, or there are two of a name.
    """
    found = _by_name(folder)
    names = [pictures.below(index).with_suffix("") for index in range(len(pictures))]
    missing = [path for path, name in zip(pictures.paths, names, strict=True) if name not in found]
    if missing:
        raise UsageError(f"{missing[0]} has no partner in {folder} ({len(missing)} such pictures): add it")
    return [found[name] for name in names]


def refuse_other_shapes(pictures: Pictures, partners: Pictures) -> None:
    """Raise UsageError where a picture's partner is larger or smaller by more than rounding."""
    for path, (height, width), (tall, wide) in zip(pictures.paths, pictures.sizes, partners.sizes, strict=True):
        if abs(height - tall) > 2 or abs(width - wide) > 2:
            raise UsageError(
                f"{path} is {width}x{height} but its partner {wide}x{tall} (after scaling): a pair must show one view"
            )


def _by_name(folder: Path) -> dict[Path, Path]:
    """Map each picture's place below the folder, without suffix, to its path."""
    found: dict[Path, Path] = {}
    for path in find_images([folder]):
        name = path.relative_to(folder).with_suffix("")
        if name in found:
            raise UsageError(f"{path} and {found[name].name} have the same name: keep one of them")
        found[name] = path
    return found
