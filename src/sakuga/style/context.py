"""What a style knows of the whole picture: a thumbnail, taken once."""

import numpy as np
from PIL import Image

from sakuga.picture.pixels import Array

THUMBNAIL = 64
"""Pixels of a thumbnail's sides, whatever the picture's shape."""


def thumbnail(rgb: Array) -> Array:
    """Reduce (H, W, 3), uint8 or uint16 over their whole range, to (64, 64, 3) uint8: means over areas."""
    pixels = rgb if rgb.dtype == np.uint8 else (rgb >> 8).astype(np.uint8)
    return np.asarray(Image.fromarray(pixels).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX))
