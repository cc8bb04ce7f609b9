"""Frames of people's faces: another one of the same person or of someone else, where a face is, and holes in it."""

from functools import partial

import numpy as np
import torch
from PIL import Image, ImageDraw
from scipy.spatial import ConvexHull, QhullError
from torch import Tensor

from sakuga.data.columns import Column, Crop, Derived, Noise, Rows
from sakuga.data.landmarks import Landmarks
from sakuga.data.pictures import Pictures
from sakuga.errors import UsageError
from sakuga.systems.parts.people import person

GROWN = {5: 2.2, 68: 1.3}
"""How far the hull of so many landmarks is enlarged about its middle, so that it holds the face; ours."""


def other_frames(
    photos: Pictures, points: Landmarks, side: int, *, mirror: bool, same: bool
) -> tuple[Derived, Derived]:
    """Return columns of another frame for each, of the same person or of another, drawn anew, and of its landmarks.

    A person is a folder below those of the photos. Raises UsageError where a person has one frame only, or where there
    is one person only.
    """
    people = np.array([person(photos, index) for index in range(len(photos))])
    counts = dict(zip(*np.unique(people, return_counts=True), strict=True))
    if same and min(counts.values()) < 2:
        raise UsageError(f"--photos has one frame only of {min(counts, key=lambda name: counts[name])}: add another")
    if not same and len(counts) < 2:
        raise UsageError(f"--photos has frames of {people[0]} only: add the folder of another person")

    def draw(column: Column, index: np.ndarray, chance: np.ndarray) -> np.ndarray:
        number = int(index)
        among = np.flatnonzero((people == people[number]) == same)
        chosen = int((among := among[among != number])[int(chance[0] * len(among))])
        top, left = (
            int(c * (max(length - side, 0) + 1)) for c, length in zip(chance[1:3], photos.sizes[chosen], strict=True)
        )
        return column.take(Crop(chosen, top, left, side, bool(mirror and chance[3] < 0.5)))

    drawn = Rows(np.arange(len(photos))), Noise(4, uniform=True)
    return Derived(partial(draw, photos), *drawn), Derived(partial(draw, points), *drawn)


def hull_mask(side: int, points: np.ndarray) -> np.ndarray:
    """Return (1, side, side) float32, 1 within the enlarged hull of a face's landmarks (K, 2)."""
    mask, found = Image.new("L", (side, side)), points.astype(np.float64)
    try:
        found = found[ConvexHull(found).vertices]
    except QhullError:  # all on one line
        return np.zeros((1, side, side), np.float32)
    middle = points.mean(0)
    grown = middle + GROWN[len(points)] * (found - middle)
    ImageDraw.Draw(mask).polygon([tuple(point) for point in grown.tolist()], fill=1)
    return np.asarray(mask, np.float32)[None]


def cut_ellipses(mask: Tensor, numbers: Tensor) -> Tensor:
    """Remove ellipses from masks (N, 1, S, S): E of them of (N, E, 5) numbers in [0, 1).

    Of each: x and y of its middle within the picture, half axes of an eighth to three eighths of it, its angle.
    """
    side = mask.shape[2]
    axis = (torch.arange(side, device=mask.device, dtype=mask.dtype) + 0.5) / side
    x, y, a, b, turn = numbers.to(mask)[..., None, None].unbind(2)
    dx, dy = axis - x, axis[:, None] - y
    cos, sin = (np.pi * turn).cos(), (np.pi * turn).sin()
    across, down = (dx * cos + dy * sin) / (0.125 + a / 4), (dy * cos - dx * sin) / (0.125 + b / 4)
    free = (across.square() + down.square() >= 1).to(mask).prod(1, keepdim=True)
    return mask * free
