"""Black bars around a picture."""

from typing import NamedTuple

import numpy as np

BLACK = 24
"""The brightest that compression leaves in a bar, out of 255."""


class Bars(NamedTuple):
    """Pixels to take off each side."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """Return what is between the bars of (H, W, ...)."""
        height, width = picture.shape[:2]
        return picture[self.top : height - self.bottom, self.left : width - self.right]


def bars(*pictures: np.ndarray) -> Bars:
    """Find the bars that pictures (H, W) uint8, grey and of one size, have in common.

    A row or column belongs to a bar if 99 % of it is black (at most 24 of 255). Bars come in pairs of about the same
    width: a side that has a bar while the opposite has none, or a much thinner one, is part of a dark picture. Of many
    pictures a quarter may reach into the bar (a subtitle); black ones do not count.
    """
    found = []
    for picture in pictures:
        rows, columns = (np.flatnonzero(np.percentile(picture, 99, axis=axis) > BLACK) for axis in (1, 0))
        if len(rows) and len(columns):
            height, width = picture.shape
            found.append((rows[0], height - 1 - rows[-1], columns[0], width - 1 - columns[-1]))
    if not found:
        return Bars()
    top, bottom, left, right = (int(side) for side in np.quantile(found, 0.25, axis=0, method="lower"))
    return Bars(*_pair(top, bottom), *_pair(left, right))


def _pair(one: int, other: int) -> tuple[int, int]:
    thin, wide = sorted((one, other))
    return (one, other) if thin and wide - thin <= max(2, wide // 4) else (0, 0)
