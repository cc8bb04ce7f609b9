"""References of StarGAN v2: two pictures of one domain, half of them seen from nearer."""

import numpy as np
from PIL import Image

from sakuga.data.columns import Column, Crop, Derived, Noise
from sakuga.data.labels import Labels
from sakuga.data.pictures import Pictures


class Partners(Column):
    """For each picture another one of its class, drawn once; itself where it is alone."""

    def __init__(self, pictures: Pictures, labels: Labels, seed: int):
        self.pictures, classes = pictures, np.asarray(labels.values)
        self.partners, rng = np.arange(len(classes)), np.random.default_rng(seed)
        for kind in np.unique(classes):
            members = rng.permutation(np.flatnonzero(classes == kind))
            self.partners[members] = np.roll(members, 1)

    def __len__(self) -> int:
        return len(self.partners)

    def take(self, crop: Crop) -> np.ndarray:
        """Cut the partner of the item about where the item is cut, (size, size, 3)."""
        index = int(self.partners[crop.index])
        height, width = self.pictures.sizes[index]
        top, left = min(crop.top, max(0, height - crop.size)), min(crop.left, max(0, width - crop.size))
        return self.pictures.take(Crop(index, top, left, crop.size, crop.mirrored))


def zoomed(picture: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Show half of the pictures (S, S, 3) nearer: a part of 0.8 to 1 of the area, of sides 0.9 to 1.1 to one.

    `chance`: five numbers from [0, 1). Source: the official code of StarGAN v2.
    """
    if chance[0] >= 0.5:
        return picture
    side, ratio = len(picture), 0.9 * (1.1 / 0.9) ** chance[2]
    area = (0.8 + 0.2 * chance[1]) * side**2
    width, height = (min(side, length) for length in ((area * ratio) ** 0.5, (area / ratio) ** 0.5))
    left, top = chance[3] * (side - width), chance[4] * (side - height)
    box = (left, top, left + width, top + height)
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR, box=box))


def view(pictures: Column) -> Column:
    """Pictures as a training sees them, half of them nearer."""
    return Derived(zoomed, pictures, Noise(5, uniform=True))


def two_references(pictures: Pictures, labels: Labels, seed: int) -> dict[str, Column]:
    """Two pictures of one domain, and the domain that they are references for."""
    other = Partners(pictures, labels, seed)
    return {"reference": view(pictures), "reference2": view(other), "target": labels}
