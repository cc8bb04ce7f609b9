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
        UsageError: a name has no partner, a side-by-side picture cannot be halved, or two partners differ in shape.
    """
    if targets is None:
        left = Pictures([inputs], short_side=short_side, half="left")
        right = Pictures([inputs], short_side=short_side, half="right")
        return left, right
    names = [{p.relative_to(folder).with_suffix("") for p in find_images([folder])} for folder in (inputs, targets)]
    alone = sorted(names[0] ^ names[1])
    if alone:
        side = inputs if alone[0] in names[0] else targets
        other = targets if side is inputs else inputs
        raise UsageError(
            f"{side / alone[0]} has no partner in {other} ({len(alone)} such names); "
            "pairs must have the same name in both folders."
        )
    pictures = Pictures([inputs], short_side=short_side), Pictures([targets], short_side=short_side)
    for path, (height, width), (tall, wide) in zip(
        pictures[0].paths, pictures[0].sizes, pictures[1].sizes, strict=True
    ):
        if abs(height * wide - width * tall) > 0.02 * height * wide:
            raise UsageError(
                f"{path} is {width}x{height} but its partner {wide}x{tall} (after scaling); a pair must show one view."
            )
    return pictures
