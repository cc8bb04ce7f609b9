"""Styles of one size on pictures of any: the picture is reduced to it, and the change brought back to its size."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakuga.picture.arrays import resize
from sakuga.picture.pixels import Array

Floats = NDArray[Any]
RADIUS = 2
"""Of the windows in which a change is taken for linear, in pixels of the style's size."""
NOISE = 1e-3
"""Variance below which a window of the photo counts as flat, of values in 0..1."""


def fitted(rgb: Array, size: tuple[int, int], run: Callable[[Array], Array]) -> Array:
    """Run on the whole of `rgb` (H, W, 3) what takes pictures of `size` (height, width) only; the result is (H, W, 3).

    Where the picture has another shape, it is continued by reflection. The change comes back to the picture's size by a
    guided filter: within each window it is a line in the photo's values, and slope and offset are what is enlarged. So
    details of the photo stay where the style left them, and where it painted something else nothing shines through.

    Source: He, Sun, "Fast Guided Filter", 2015.
    """
    height, width = rgb.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    inner = tuple(max(1, min(most, round(side * scale))) for side, most in zip((height, width), size, strict=True))
    small = resize(rgb, inner[::-1])
    before = [(most - side) // 2 for side, most in zip(inner, size, strict=True)]
    margins = [(first, most - side - first) for first, side, most in zip(before, inner, size, strict=True)]
    result = run(np.pad(small, (*margins, (0, 0)), mode="symmetric"))
    result = result[before[0] : before[0] + inner[0], before[1] : before[1] + inner[1]]
    most = np.iinfo(rgb.dtype).max
    photo = small.astype(np.float32) / np.float32(most)
    slope, offset = lines(photo, result.astype(np.float32) / np.float32(most) - photo)
    made = np.empty_like(rgb)
    for c in range(3):
        slopes, offsets = (_enlarge(values[..., c], (width, height)) for values in (slope, offset))
        made[..., c] = np.clip(np.rint((1 + slopes) * rgb[..., c] + offsets * most), 0, most)
    return made


def lines(photo: Floats, change: Floats) -> tuple[Floats, Floats]:
    """Return slope and offset of the line nearest to the change as a function of the photo, around each value."""
    mean, target = box(photo), box(change)
    slope = (box(photo * change) - mean * target) / (box(photo * photo) - mean * mean + np.float32(NOISE))
    return box(slope), box(target - slope * mean)


def box(values: Floats) -> Floats:
    """Mean of the (2 RADIUS + 1)² values around each of (H, W, C), continued by its border."""
    for axis in (0, 1):
        margins = [(RADIUS + 1, RADIUS) if one == axis else (0, 0) for one in range(3)]
        sums = np.pad(values, margins, mode="edge").cumsum(axis, dtype=np.float64)
        count, length = values.shape[axis], 2 * RADIUS + 1
        high, low = (np.take(sums, np.arange(start, start + count), axis) for start in (length, 0))
        values = ((high - low) / length).astype(np.float32)
    return values


def _enlarge(values: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(Image.fromarray(np.ascontiguousarray(values)).resize(size, Image.Resampling.BILINEAR))
