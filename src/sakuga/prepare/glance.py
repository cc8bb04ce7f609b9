"""A small version of a picture, as cheaply as its format allows."""

from pathlib import Path

import numpy as np
from PIL import Image

from sakuga.picture import read_rgb


def glance(path: Path, side: int) -> np.ndarray:
    """Read a picture upright and reduced as (h, w, 3) uint8 RGB, max(h, w) ≤ `side`; transparent parts are white.

    A JPEG is decoded at a half, a quarter or an eighth of its size, in a fraction of the time; it is still read to its
    end, so that one which is cut off is met.

    Raises:
        SakugaError: the file is not a readable picture.
    """
    image = Image.fromarray(read_rgb(path, draft=side))
    image.thumbnail((side, side), Image.Resampling.BOX)
    return np.asarray(image)


def readable(path: Path) -> None:
    """Raise SakugaError where a file is not a readable picture."""
    glance(path, 64)
