"""Squares of a picture, turned and scaled: cut out of it, and pasted back with a soft edge."""

from math import ceil, floor
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakuga.picture.arrays import resize
from sakuga.picture.pixels import Array

Matrix = NDArray[np.float64]
"""(2, 3): x, y of one picture from x, y, 1 of another, in pixels; (0, 0) is the centre of the first pixel."""

EDGE = 1 / 8
"""Share of a pasted square's side over which it fades at each edge."""


def similarity(points: Array, template: Array) -> Matrix:
    """Return the rotation, scale and shift that bring points (K, 2) as near to a template (K, 2) as they can.

    Never a mirror. Source: Umeyama, PAMI 1991, in two dimensions, where it is one complex factor.
    """
    source, target = (np.asarray(one, np.float64) @ [1, 1j] for one in (points, template))
    centred = source - source.mean()
    factor = np.vdot(centred, target - target.mean()) / max(np.vdot(centred, centred).real, 1e-12)
    shift = target.mean() - factor * source.mean()
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def square_at(center: Array, side: float, angle: float, size: int) -> Matrix:
    """Return the matrix to a square of `size` pixels from one of `side` around a point, turned by `angle` radians."""
    factor = size / side * np.exp(-1j * angle)
    shift = (size - 1) / 2 * (1 + 1j) - factor * complex(*center)
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def inverse(matrix: Matrix) -> Matrix:
    """Return the way back."""
    back = np.linalg.inv(matrix[:, :2])
    return np.concatenate([back, -back @ matrix[:, 2:]], 1)


def compose(last: Matrix, first: Matrix) -> Matrix:
    """Return what `last` makes of what `first` makes."""
    return np.concatenate([last[:, :2] @ first[:, :2], last[:, :2] @ first[:, 2:] + last[:, 2:]], 1)


def apply(matrix: Matrix, points: Array) -> NDArray[np.float64]:
    """Map points (K, 2)."""
    mapped: NDArray[np.float64] = points @ matrix[:, :2].T + matrix[:, 2]
    return mapped


def scale_of(matrix: Matrix) -> float:
    """Return how many times longer things become."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def cut(rgb: Array, matrix: Matrix, size: tuple[int, int], outside: Literal["black", "mirror"] = "mirror") -> Array:
    """Return what a matrix brings into a picture of `size` (width, height), of the same dtype (H, W, 3).

    Time and memory grow with the result and the picture, whatever the matrix.
    """
    corners = np.array([[x, y] for x in (0, size[0] - 1) for y in (0, size[1] - 1)], np.float64)
    back = inverse(matrix)
    found, scale = apply(back, corners), scale_of(matrix)
    margin = 2 + ceil(2 / scale)  # what the filters reach
    low, high = np.floor(found.min(0)).astype(int) - margin, np.ceil(found.max(0)).astype(int) + margin + 1
    extent = np.array(rgb.shape[1::-1])
    low, high = np.clip(low, -8 * extent, 9 * extent - 1), np.clip(high, 1 - 8 * extent, 9 * extent)  # else black
    if scale < 1 and np.prod(high - low) > 4 * np.prod(extent):  # it takes less to reduce the picture
        small = _reduced(rgb, (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))))
        if small.size < rgb.size:
            factor = np.array(small.shape[1::-1]) / extent
            there = np.concatenate([np.diag(factor), (factor - 1)[:, None] / 2], 1)
            return cut(small, compose(matrix, inverse(there)), size, outside)
    part = _part(rgb, low, high, outside)
    shrink = np.ones(2)
    if scale < 1:  # affine maps take single pixels: reduced before, as any picture is
        smaller = [max(1, round(side * scale)) for side in part.shape[1::-1]]
        shrink = np.array(smaller) / part.shape[1::-1]
        part = _reduced(part, (smaller[0], smaller[1]))
    # From pixels of the result to those of the part: both with (0, 0) at the corner of the first pixel, as Pillow has.
    inner = back[:, :2] * shrink[:, None]
    shift = (back[:, 2] - low + 0.5) * shrink - inner @ [0.5, 0.5]
    data = (*inner[0], shift[0], *inner[1], shift[1])
    how = size, Image.Transform.AFFINE, data, Image.Resampling.BICUBIC
    if rgb.dtype == np.uint8 and outside == "black":  # what networks only look at: Pillow rounds bytes down
        return np.asarray(Image.fromarray(part).transform(*how))
    planes = [np.asarray(Image.fromarray(part[..., c].astype(np.float32)).transform(*how)) for c in range(3)]
    most = np.iinfo(rgb.dtype).max
    result: Array = np.clip(np.rint(np.stack(planes, -1)), 0, most).astype(rgb.dtype)
    return result


def paste(rgb: Array, square: Array, matrix: Matrix) -> Array:
    """Return a picture with a square (S, S, 3) in it where `matrix` took it from, faded at its edges over EDGE."""
    height, width = rgb.shape[:2]
    side = len(square)
    corners = apply(inverse(matrix), np.array([[x, y] for x in (0, side - 1) for y in (0, side - 1)], np.float64))
    left, top = (max(0, floor(low)) for low in corners.min(0))
    right, bottom = (min(most, ceil(high) + 1) for most, high in zip((width, height), corners.max(0), strict=True))
    result = rgb.copy()
    if left >= right or top >= bottom:
        return result
    moved = inverse(matrix)
    moved[:, 2] -= left, top
    back = cut(square, moved, (right - left, bottom - top))
    y, x = np.mgrid[top:bottom, left:right]
    place = (apply(matrix, np.stack([x, y], -1).reshape(-1, 2)) + 0.5) / side
    # 1 inside, and 0 from the edge on; a smooth step between, so that neither end of it can be seen
    depth = np.clip(np.minimum(place, 1 - place) / EDGE, 0, 1)
    weight = np.prod(depth * depth * (3 - 2 * depth), 1).reshape(*x.shape, 1)
    shown = result[top:bottom, left:right]
    result[top:bottom, left:right] = np.rint(shown + weight * (back.astype(np.float64) - shown)).astype(rgb.dtype)
    return result


def _reduced(rgb: Array, size: tuple[int, int]) -> Array:
    if rgb.dtype != np.uint8:
        return resize(rgb, size)
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS))


def _part(rgb: Array, low: Array, high: Array, outside: str) -> Array:
    """Cut (H, W, 3) from `low` to `high` (x, y), which may lie beyond it."""
    columns, rows = (np.arange(first, last) for first, last in zip(low, high, strict=True))
    if outside == "mirror":
        y, x = (_mirrored(index, length) for index, length in ((rows, rgb.shape[0]), (columns, rgb.shape[1])))
        mirrored: Array = rgb[y[:, None], x]
        return mirrored
    part = np.zeros((len(rows), len(columns), 3), rgb.dtype)
    y, x = ((index >= 0) & (index < length) for index, length in ((rows, rgb.shape[0]), (columns, rgb.shape[1])))
    part[np.ix_(y, x)] = rgb[np.ix_(rows[y], columns[x])]
    return part


def _mirrored(index: Array, length: int) -> Array:
    index = index % (2 * length)
    return np.where(index < length, index, 2 * length - 1 - index)
