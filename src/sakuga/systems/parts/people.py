"""Weak pairs: photos and caricatures of the same people, which share a face and neither pose nor expression."""

import numpy as np
from PIL import Image, ImageDraw
from scipy.spatial import ConvexHull, QhullError

from sakuga.data.columns import Crop, Derived, Noise, Rows
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError

PARTS = (range(17, 22), range(36, 42), range(22, 27), range(42, 48), range(27, 36), range(48, 60))
"""Of iBUG's 68 landmarks: brow and eye, left and right, nose, mouth."""
GROWN = 1.3
"""How far the hull of a part is enlarged about its middle."""


def person(pictures: Pictures, index: int) -> str:
    """The folder of a picture below the one it was found in. Raises UsageError where it lies in none."""
    below = pictures.below(index)
    if len(below.parts) < 2:
        path = pictures.paths[index]
        raise UsageError(f"{path} lies in no person's folder: move it into one, {path.parent}/NAME/{path.name}")
    return below.parts[0]


def photos_of(caricatures: Pictures, photos: Pictures, side: int, *, mirror: bool) -> Derived:
    """Return a column of crops of any photo of the person whom each caricature shows, drawn anew every time.

    Raises UsageError where there is none of someone.
    """
    known: dict[str, list[int]] = {}
    for index in range(len(photos)):
        known.setdefault(person(photos, index), []).append(index)
    people = [person(caricatures, index) for index in range(len(caricatures))]
    if missing := [name for name in people if name not in known]:
        raise UsageError(f"--photos has no folder {missing[0]}, of whom --style has caricatures: add a photo")

    def draw(index: np.ndarray, chance: np.ndarray) -> np.ndarray:
        of = known[people[int(index)]]
        chosen = of[int(chance[0] * len(of))]
        top, left = (
            int(c * (max(length - side, 0) + 1)) for c, length in zip(chance[1:3], photos.sizes[chosen], strict=True)
        )
        return photos.take(Crop(chosen, top, left, side, bool(mirror and chance[3] < 0.5)))

    return Derived(draw, Rows(np.arange(len(caricatures))), Noise(4, uniform=True))


def part_mask(points: np.ndarray, side: int) -> np.ndarray:
    """Return the mask (1, side, side) float32 of eyes, nose and mouth: hulls of their landmarks (68, 2), enlarged."""
    mask = Image.new("L", (side, side))
    for part in (PARTS[0:2], PARTS[2:4], PARTS[4:5], PARTS[5:6]):
        found = points[[index for some in part for index in some]].astype(np.float64)
        try:
            found = found[ConvexHull(found).vertices]
        except QhullError:  # all on one line
            continue
        grown = found.mean(0) + GROWN * (found - found.mean(0))
        ImageDraw.Draw(mask).polygon([tuple(point) for point in grown.tolist()], fill=255)
    return np.asarray(mask, np.float32)[None] / 255
