"""A small version of a picture, as cheaply as its format allows."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from sakuga.data.images import load_image


def glance(path: Path, side: int) -> np.ndarray:
    """Read a picture upright and reduced as (h, w, 3) uint8 RGB, max(h, w) ≤ `side`; transparent parts are white.

    A JPEG is decoded at a half, a quarter or an eighth of its size, in a fraction of the time; it is still read to its
    end, so that one which is cut off is met.

    Raises:
        SakugaError: the file is not a readable picture.
    """
    try:
        with Image.open(path) as opened:
            if opened.format in ("JPEG", "MPO"):
                opened.draft(None, (side, side))
                image = ImageOps.exif_transpose(opened).convert("RGB")
                image.thumbnail((side, side), Image.Resampling.BOX)
                return np.asarray(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        pass  # the sentence is load_image's
    return load_image(path, max_side=side)


def readable(path: Path) -> None:
    """Raise SakugaError where a file is not a readable picture."""
    glance(path, 64)
