"""A picture that was stylised small, brought up to the size of its photo with the photo as guide."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakuga.picture.arrays import BT601, normalise
from sakuga.picture.pixels import Array

Floats = NDArray[np.float32]
LUMA = np.array(BT601, np.float32)

# All of values in [-1, 1].
NOISE = np.float32(4e-3)
"""Variance below which 3x3 pixels of the reduced photo count as flat (the guided filter's epsilon)."""
GRAIN = np.float32(8 / 255)
"""What the photo does not explain is grain of the network's arithmetic where it is smaller, and drawn where larger."""
MAX_SLOPE = np.float32(2)
SHARPEN = np.float32(2)
"""How many times their difference from their surroundings lines gain, before they are limited."""
REACH = 3
"""How far the fields of a pixel look around it, in pixels of the small picture."""
ROWS = 32
"""Rows of the small picture that are enlarged at once, for the memory's sake."""


def reduce(rgb: Array, size: tuple[int, int]) -> Array:
    """Reduce (H, W, 3), uint8 or uint16, to `size` (width, height): by means of whole pixels, the rest by Lanczos."""
    height, width = rgb.shape[:2]
    whole = max(1, int(min(width / size[0], height / size[1]) / 1.2))
    step, box = whole * 256, (0, 0, width / whole, height / whole)

    def channel(values: Array) -> Array:
        values = values if values.dtype == np.uint8 else values.astype(np.float32)
        return np.asarray(Image.fromarray(values).reduce(whole)) if whole > 1 else values

    def resized(values: Array) -> Array:
        return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.LANCZOS, box=box))

    if rgb.dtype == np.uint8:
        return resized(np.concatenate([channel(rgb[y : y + step]) for y in range(0, height, step)]))
    reduced = np.empty((size[1], size[0], 3), rgb.dtype)
    for c in range(3):
        values = resized(np.concatenate([channel(rgb[y : y + step, :, c]) for y in range(0, height, step)]))
        reduced[..., c] = np.clip(np.rint(values), 0, np.iinfo(rgb.dtype).max)
    return reduced


def enlarge(
    photo: Array, small: Array, stylised: Array, write: Callable[[slice, Floats], None], *, threads: int = 1
) -> None:
    """Call `write` with some rows and their result (3, rows, W) in [-1, 1], until all of a photo (H, W, 3) are made.

    `small`: the photo reduced, (h, w, 3). `stylised`: what was made of it, of the same shape. `threads` threads call
    `write`, which may change the values; they are others when it has returned.

    The brightness of the result is a line in that of the photo around each pixel, whose slope and offset are found at
    the small size (fast guided filter: He, Sun, 2015): so edges lie where the photo has them. What the style drew
    beside that is kept, made steeper, and limited by the darkest and the lightest pixel of 3x3 that the style has made
    there: so lines become as sharp as a line can be without a halo, and where the style is flat the photo's texture
    does not come back. Colours are enlarged plainly. Each value depends on its surroundings alone.
    """
    count = len(small)
    place = (np.arange(len(photo)) + 0.5) * (count / len(photo)) - 0.5
    above = np.clip(np.floor(place).astype(int), 0, count - 1)
    share = np.clip(place - above, 0, 1).astype(np.float32)

    def strip(first: int) -> None:
        low, high = max(0, first - REACH), min(count, first + ROWS + 1 + REACH)
        fields = _fields(small[low:high], stylised[low:high])[:, first - low : first - low + ROWS + 1]
        wide = np.stack([_widen(field, photo.shape[1]) for field in fields], axis=1)
        change = np.diff(wide, axis=0, append=wide[-1:])
        start, stop = np.searchsorted(above, (first, first + ROWS))
        while start < stop:
            end = np.searchsorted(above, above[start], "right")
            i, rows = above[start] - first, slice(start, end)
            values = change[i] * share[rows, None, None]
            values += wide[i]
            write(rows, _combine(photo[rows], values.swapaxes(0, 1)))
            start = end

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(strip, range(0, count, ROWS)):
            pass


def _combine(photo: Array, values: Floats) -> Floats:
    """The result (3, rows, W) of rows of the photo and what `_fields` made for them, which is overwritten."""
    red, light, blue, slope, low, high = values
    slope *= _luma(photo)
    light += slope
    np.maximum(light, low, out=light)
    np.minimum(light, high, out=light)
    red += light
    blue += light
    # The brightness of the three is `light`.
    np.multiply(red, -LUMA[0] / LUMA[1], out=slope)
    np.multiply(blue, -LUMA[2] / LUMA[1], out=low)
    light *= 1 / LUMA[1]
    light += slope
    light += low
    return values[:3]


def _fields(small: Array, stylised: Array) -> Floats:
    """What is enlarged, (6, h, w): offset and slope of the brightness, its limits, red and blue less brightness."""
    photo, rgb = _luma(small), normalise(stylised)
    luma = np.tensordot(LUMA, rgb, 1)
    mean = _mean(photo)
    variance = _mean(photo * photo) - mean * mean + NOISE

    def drawn(values: Floats) -> tuple[Floats, Floats]:
        """The slope, and the values without grain."""
        centre = _mean(values)
        slope: Floats = _mean(photo * values) - mean * centre
        slope /= variance
        offset = _mean(centre - slope * mean)
        slope = _mean(slope)
        line = slope * photo + offset
        rest = values - line
        power = rest * rest
        rest *= power
        rest /= power + GRAIN * GRAIN
        return slope, line + rest

    slope, luma = drawn(luma)
    slope = np.clip(slope, 0, MAX_SLOPE)
    low = np.minimum(_extreme(luma, np.minimum) + GRAIN, luma)
    high = np.maximum(_extreme(luma, np.maximum) - GRAIN, luma)
    offset = luma + SHARPEN * (luma - _mean(luma, 2)) - slope * photo
    red, blue = (drawn(rgb[c] - np.tensordot(LUMA, rgb, 1))[1] for c in (0, 2))
    return np.stack([red, offset, blue, slope, low, high])


def _widen(values: Floats, width: int) -> Floats:
    return np.asarray(Image.fromarray(values).resize((width, len(values)), Image.Resampling.BILINEAR))


def _luma(rgb: Array) -> Floats:
    """Brightness (H, W) in [-1, 1]."""
    luma: Floats = rgb.astype(np.float32) @ (LUMA * np.float32(2 / np.iinfo(rgb.dtype).max))
    luma -= 1
    return luma


def _mean(values: Floats, middle: int = 1) -> Floats:
    """The mean of 3x3 values, of which the middle row and column count `middle` times; the border is continued."""
    for axis in (0, 1):
        first, centre, last = _three(values, axis)
        values = (first + last + np.float32(middle) * centre) * np.float32(1 / (2 + middle))
    return values


def _extreme(values: Floats, of: Callable[[Floats, Floats], Floats]) -> Floats:
    for axis in (0, 1):
        first, centre, last = _three(values, axis)
        values = of(of(first, last), centre)
    return values


def _three(values: Floats, axis: int) -> tuple[Floats, Floats, Floats]:
    wide = np.pad(values, [(1, 1) if one == axis else (0, 0) for one in (0, 1)], mode="edge")
    size = values.shape[axis]
    first, centre, last = (wide[(slice(None),) * axis + (slice(k, k + size),)] for k in range(3))
    return first, centre, last
