"""What systems share that learn from photographs on one side and pictures of a style on the other."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
from torch import Tensor

from sakuga.data.dataset import Dataset, sample_squares
from sakuga.data.pictures import Pictures
from sakuga.systems.base import Config, Preview, System
from sakuga.systems.fields import Count, Role
from sakuga.systems.parts.augment import diff_augment


@dataclass
class UnpairedConfig(Config):
    """Folders of both sides, how their pictures become crops, and what a discriminator sees of them."""

    style: Annotated[tuple[Path, ...], Role("style", required=True)] = ()
    """Folders of pictures in the style."""
    load: Count = 286
    """Shorter side to which all pictures are scaled before they are cropped, pixels."""
    augment: bool = False
    """Let discriminators see everything through differentiable augmentation; for fewer than 1,000 pictures."""

    @property
    def short_side(self) -> int:
        """Shorter side of all pictures, pixels."""
        return max(self.load, self.crop)


class Unpaired(System):
    """Batches of `photo` and `style` crops, drawn independently of each other.

    Half of all crops are mirrored, which the official codes of CartoonGAN, CycleGAN and U-GAT-IT do, those of AnimeGAN,
    White-box and AdaIN do not (`mirror`). Pictures keep their shape when they are scaled, where CycleGAN's code makes
    squares of them; they are drawn by their area, so lengths given in epochs are numbers of steps only.
    """

    def data(self) -> Dataset:
        """Crops of either side."""
        photos, style = load_sides(self.config)
        return Dataset({"photo": photos}, self.config) | Dataset({"style": style}, self.config)

    def preview(self) -> Preview:
        """Four photos from all over the collection, and up to 64 pictures of the style."""
        photos, style = self.dataset.pictures("photo"), self.dataset.pictures("style")
        return Preview({"image": sample_squares(photos)}, sample_squares(style, count=64))

    def augment(self, image: Tensor) -> Tensor:
        """What a discriminator is shown of an image."""
        return diff_augment(image) if self.config.augment else image


class Sides(Protocol):
    """A config that names photos and pictures of a style."""

    photos: tuple[Path, ...]
    style: tuple[Path, ...]

    @property
    def short_side(self) -> int:
        """Shorter side to which they are scaled."""
        ...


def load_sides(config: Sides) -> tuple[Pictures, Pictures]:
    """Read the photos and the pictures of the style, and warn where they seem to be exchanged."""
    photos, style = (Pictures(folders, short_side=config.short_side) for folders in (config.photos, config.style))
    # Collections measured: photographs 0.20 to 0.37, drawings 0.51 to 0.55, oil paintings 0.05.
    if flatness(photos) > max(0.45, 1.5 * flatness(style)):
        warnings.warn(
            f"--photos {config.photos[0]} looks like drawings and --style {config.style[0]} does not; "
            "exchange them if they are swapped",
            stacklevel=2,
        )
    return photos, style


def flatness(pictures: Sequence[np.ndarray], *, count: int = 32) -> float:
    """Share of pixels that equal their right neighbour to 1/255 in every channel; photographs have grain."""
    shares = []
    for picture in pictures[:: max(1, len(pictures) // count)][:count]:
        step = np.abs(np.diff(picture.astype(np.int16), axis=1)).max(2)
        shares.append(float((step <= 1).mean()))
    return float(np.mean(shares))
