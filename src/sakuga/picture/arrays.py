"""Arithmetic on pixels: their luma, their size, and their values as networks take them."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakuga.picture.pixels import Array

BT601 = (0.299, 0.587, 0.114)
"""What red, green and blue weigh in brightness (luma), as in JPEG: ITU-R BT.601."""


def normalise(rgb: Array) -> NDArray[np.float32]:
    """Turn (H, W, 3) of an unsigned dtype's range into (3, H, W) float32 in [-1, 1]."""
    photo = np.empty((3, *rgb.shape[:2]), np.float32)
    np.multiply(rgb.transpose(2, 0, 1), np.float32(2 / np.iinfo(rgb.dtype).max), out=photo)
    photo -= 1
    return photo


def denormalise(image: NDArray[np.float32], result: Array) -> None:
    """Write (3, H, W) in [-1, 1] into `result` (H, W, 3), each to the nearest value; `image` is overwritten."""
    half = np.float32(np.iinfo(result.dtype).max / 2)
    image *= half
    image += half + np.float32(0.5)  # and the integer part
    values = image.astype(result.dtype)
    for c in range(3):
        result[..., c] = values[c]


def resize(values: Array, size: tuple[int, int]) -> Array:
    """Resize (H, W) or (H, W, C) to `size` (width, height), in floats so that 16 bits stay 16 bits."""
    if values.ndim == 3:
        return np.stack([resize(values[..., c], size) for c in range(values.shape[2])], axis=-1)
    resized = np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.LANCZOS))
    rounded: Array = np.clip(np.rint(resized), 0, np.iinfo(values.dtype).max).astype(values.dtype)
    return rounded
