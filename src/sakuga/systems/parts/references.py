"""References of StarGAN v2: another picture of the same domain, zoomed views, and what users give in their place."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from sakuga.data.columns import Column, Crop, Derived, Noise
from sakuga.data.labels import Labels
from sakuga.data.pictures import Pictures
from sakuga.networks.starganv2 import face_masks
from sakuga.systems.base import Preview

MAX_ROWS = 8


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


def masks_of(image: Tensor, heat_maps: nn.Module | None) -> tuple[Tensor, ...]:
    """Masks of the faces (N, 3, H, W), see `face_masks`; none without a network of heat maps, which is not trained."""
    if heat_maps is None:
        return ()
    with torch.no_grad():
        return face_masks(heat_maps(image))


class Translator(nn.Module):
    """A photo into a domain, in the style of a reference, or of noise where the reference is all zeros.

    No picture of 8 or 16 bits has a zero in [-1, 1], so zeros say that there is none.
    """

    def __init__(self, generator: nn.Module, mapping: nn.Module, encoder: nn.Module, heat_maps: nn.Module | None):
        super().__init__()
        self.generator, self.mapping, self.encoder, self.heat_maps = generator, mapping, encoder, heat_maps

    def forward(self, image: Tensor, domain: Tensor, reference: Tensor, z: Tensor) -> Tensor:
        """(N, 3, S, S), one-hot (N, K), (N, 3, S, S) and (N, noise) to (N, 3, S, S)."""
        given = reference.abs().amax((1, 2, 3))[:, None] > 0
        style = torch.where(given, self.encoder(reference, domain), self.mapping(z, domain))
        result: Tensor = self.generator(image, style, masks_of(image, self.heat_maps))
        return result


def domain_preview(photos: Tensor, domains: Sequence[str], noise: int, references: Tensor) -> Preview:
    """Photos in one row, then each domain in two styles, eight rows at most."""
    rows = min(MAX_ROWS, 2 * len(domains))
    z = torch.randn(rows, noise, generator=torch.Generator().manual_seed(0))
    places = torch.arange(rows) // 2
    inputs = {
        "image": photos.repeat(rows, 1, 1, 1),
        "domain": torch.eye(len(domains))[places].repeat_interleave(len(photos), 0),
        "reference": torch.zeros_like(photos).repeat(rows, 1, 1, 1),
        "z": z.repeat_interleave(len(photos), 0),
    }
    return Preview(inputs, references, rows=rows)
