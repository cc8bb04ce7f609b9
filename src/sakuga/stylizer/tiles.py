"""A picture cut into tiles with margins, so that each pixel comes out as if the picture had been run whole."""

import math
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from sakuga.picture.pixels import Array

Slices = tuple[slice, slice]


class Tile(NamedTuple):
    """One tile, as slices of rows and columns.

    `outer`: what the network is given, of the picture. `pad`: rows below and columns to the right that it needs besides
    (`cut` adds them). `core`: what to keep of the network's result. `inner`: where that belongs in the whole result.
    """

    outer: Slices
    pad: tuple[int, int]
    core: Slices
    inner: Slices


def plan(
    height: int,
    width: int,
    *,
    tile: int | None = None,
    margin: int = 0,
    multiple: int = 1,
    smallest: int = 1,
    scale: int = 1,
) -> Iterator[Tile]:
    """Yield tiles of nearly equal size whose `inner` parts cover the result once.

    A tile begins on a multiple of `multiple`, where the network's strides do, and has sides that are such multiples.

    Args:
        height: of the picture; any size from 1 up.
        width: likewise.
        tile: about the side of a tile without its margin; None: one tile, the whole picture.
        margin: how far the network looks beyond a pixel; rounded up to `multiple`, and left out at the borders.
        multiple: of what the network is given.
        smallest: side of what the network is given, at least.
        scale: how many times larger the result is; `core` and `inner` are of the result.
    """
    down, across = (_along(length, tile, margin, multiple, smallest, scale) for length in (height, width))
    for y, x in product(down, across):
        yield Tile((y[0], x[0]), (y[1], x[1]), (y[2], x[2]), (y[3], x[3]))


def cut(image: Array, tile: Tile) -> Array:
    """Return a tile of an image (H, W, ...), continued by reflection where it needs to be."""
    piece = image[tile.outer]
    if any(tile.pad):
        below, right = tile.pad
        piece = np.pad(piece, ((0, below), (0, right), *((0, 0),) * (image.ndim - 2)), mode="reflect")
    return piece


def _along(
    length: int, tile: int | None, margin: int, multiple: int, smallest: int, scale: int
) -> list[tuple[slice, int, slice, slice]]:
    """(outer, pad, core, inner) of all tiles along one side."""
    full, margin = round_up(max(length, smallest), multiple), round_up(margin, multiple)
    step = round_up(math.ceil(full / math.ceil(full / (tile or full))), multiple)
    found = []
    for start in range(0, length, step):
        stop = min(start + step, length)
        low, high = max(0, start - margin), min(start + step + margin, full)
        end = min(high, length)
        core = slice((start - low) * scale, (stop - low) * scale)
        found.append((slice(low, end), high - end, core, slice(start * scale, stop * scale)))
    return found


def round_up(n: int, multiple: int) -> int:
    """Return the least multiple of `multiple` that is no less than `n`."""
    return -(-n // multiple) * multiple
