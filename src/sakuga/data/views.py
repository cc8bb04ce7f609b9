"""Views of photographs: windows of many sizes in many lights, so that a few photos show what many would."""

from collections.abc import Sequence
from typing import NamedTuple, overload

import numpy as np
from PIL import Image

from sakuga.data.columns import Column, Crop
from sakuga.data.pictures import KEEP, Pictures
from sakuga.style.context import thumbnail

SIDES = (320, 640)
"""Least and most pixels of a view's longer side."""
ENLARGED = 1.5
"""How many times larger than its window a view may be: beyond, it would show blur in place of a photo."""
SMALLEST = 1 / 3
"""Least part of a photo's sides that a window takes."""


class View(NamedTuple):
    """How a view is made: number of its photo, window (left, top, right, bottom), (width, height), curves."""

    photo: int
    window: tuple[int, int, int, int]
    size: tuple[int, int]
    curves: np.ndarray

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """Make it from the photo, (H, W, 3) uint8."""
        left, top, right, bottom = self.window
        window = Image.fromarray(pixels[top:bottom, left:right]).resize(self.size, Image.Resampling.LANCZOS)
        return np.stack([curve[channel] for curve, channel in zip(self.curves, _channels(window), strict=True)], -1)


class Views(Sequence[np.ndarray], Column):
    """`count` views (H, W, 3) uint8 of photographs, every photo as often as the others.

    View i is a function of (seed, i) and the photos: with a larger `count` the first ones stay what they were, and
    what was computed from them (a teacher's pictures) stays of use. A teacher whose norms measure the whole picture
    makes something new of every window and every light, which is why views teach more than crops.

    Args:
        photos: whence the views are taken.
        count: how many.
        seed: start of all chance.
        keep: bytes of views to hold in memory; others are made again when asked for.

    Attributes:
        paths: the photo of each view, for messages.
        sizes: (height, width) of each.
    """

    def __init__(self, photos: Pictures, count: int, *, seed: int = 0, keep: int = KEEP):
        self.photos = photos
        self.views = [
            draw_view(i % len(photos), photos.sizes[i % len(photos)], np.random.default_rng((seed, i)))
            for i in range(count)
        ]
        self.paths = [photos.paths[view.photo] for view in self.views]
        self.sizes = [view.size[::-1] for view in self.views]
        self._room, self._kept = keep, dict[int, np.ndarray]()

    def __len__(self) -> int:
        return len(self.views)

    def take(self, crop: Crop) -> np.ndarray:
        """Cut a crop out of a view."""
        return crop.cut(self[crop.index])

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...
    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index in self._kept:
            return self._kept[index]
        view = self.views[index].of(self.photos[self.views[index].photo])
        if self._room >= view.nbytes:  # two threads may make the same one: it is then counted twice, no more
            self._kept[index] = view
            self._room -= view.nbytes
        return view


class Thumbnails(Column):
    """Thumbnails (64, 64, 3) uint8 of whole pictures, whatever the crop."""

    def __init__(self, pictures: Sequence[np.ndarray]):
        self._thumbnails = [thumbnail(picture) for picture in pictures]

    def __len__(self) -> int:
        return len(self._thumbnails)

    def take(self, crop: Crop) -> np.ndarray:
        """Return that of the picture, mirrored as the crop is."""
        return self._thumbnails[crop.index][:, :: -1 if crop.mirrored else 1]


def draw_view(index: int, size: tuple[int, int], rng: np.random.Generator) -> View:
    """Choose a window, a scale and a light for photo `index` of `size` (height, width).

    The longer side becomes SIDES[0] to SIDES[1] pixels, as likely small as large (its logarithm is uniform). Exposure
    changes by about a third of a stop, contrast by a seventh, each channel by a twentieth (white balance): standard
    deviations of normal draws, cut at two of them.
    """
    longer = max(size)
    side = min(float(np.exp(rng.uniform(*np.log(SIDES)))), ENLARGED * longer)
    part = rng.uniform(max(SMALLEST, side / ENLARGED / longer), 1)
    height, width = (max(1, round(part * length)) for length in size)
    top, left = (int(rng.integers(whole - cut + 1)) for whole, cut in zip(size, (height, width), strict=True))
    scale = side / max(height, width)
    target = max(1, round(width * scale)), max(1, round(height * scale))
    exposure, contrast, *balance = rng.standard_normal(5).clip(-2, 2)
    light = (np.arange(256) / 255)[None] * 2 ** (0.33 * exposure + 0.07 * np.array(balance))[:, None]
    light = 0.45 + (light - 0.45) * 1.15**contrast
    curves = (255 * light).round().clip(0, 255).astype(np.uint8)
    return View(index, (left, top, left + width, top + height), target, curves)


def _channels(image: Image.Image) -> list[np.ndarray]:
    return [np.asarray(channel) for channel in image.split()]
