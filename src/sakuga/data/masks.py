"""Masks of pictures, such as of hair or background: gray pictures beside them."""

from pathlib import Path

import numpy as np

from sakuga.data.columns import Column, Crop
from sakuga.data.pairs import find_partners, refuse_other_shapes
from sakuga.data.pictures import Pictures


class Masks(Column):
    """A mask for each picture, (1, size, size) float32 in [0, 1], cropped and mirrored with it.

    Args:
        pictures: the pictures.
        folder: of gray pictures with their names and shapes, white where the mask is 1.

    Raises:
        UsageError: a picture has no mask, or one of another shape.
        SakugaError: a mask cannot be read.
    """

    def __init__(self, pictures: Pictures, folder: Path):
        self.masks = Pictures(find_partners(pictures, folder), short_side=pictures.options["short_side"])
        refuse_other_shapes(pictures, self.masks)
        self.sizes = pictures.sizes

    def __len__(self) -> int:
        return len(self.masks)

    def take(self, crop: Crop) -> np.ndarray:
        """Cut a crop out of a mask."""
        gray: np.ndarray = self.masks.take(crop)[None, :, :, 1].astype(np.float32) / 255
        return gray
