"""A teacher's pictures fitted to their photos: whose tone, whose light and whose colours a student learns."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F

from sakuga.data.columns import Column, Crop
from sakuga.data.pictures import KEEP
from sakuga.losses import guided_filter

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601."""


class Fitted(Sequence[np.ndarray], Column):
    """Pictures (H, W, 3) uint8, each made by `fit` of one of each of `pictures` when it is first asked for.

    `keep`: bytes of them to hold in memory.
    """

    def __init__(self, fit: Callable[..., np.ndarray], *pictures: Sequence[np.ndarray], keep: int = KEEP):
        self.fit, self.pictures = fit, pictures
        self._room, self._kept = keep, dict[int, np.ndarray]()

    def __len__(self) -> int:
        return len(self.pictures[0])

    def take(self, crop: Crop) -> np.ndarray:
        """Cut a crop out of a picture."""
        return crop.cut(self[crop.index])

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        if index in self._kept:
            return self._kept[index]
        fitted = self.fit(*(pictures[index] for pictures in self.pictures))
        if self._room >= fitted.nbytes:
            self._kept[index] = fitted
            self._room -= fitted.nbytes
        return fitted


def match_tone(picture: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Give a picture the photo's mean and standard deviation, channel by channel; both (H, W, 3) uint8."""
    x, y = picture.astype(np.float32), photo.astype(np.float32)
    scale = y.std((0, 1)) / np.maximum(x.std((0, 1)), 1e-3)
    return _uint8(x * scale + (y.mean((0, 1)) - scale * x.mean((0, 1))))


def mix_color(picture: np.ndarray, photo: np.ndarray, share: float) -> np.ndarray:
    """Keep a picture's luma (BT.601) and `share` of its colour, the rest from the photo; both (H, W, 3) uint8."""
    x, y = picture.astype(np.float32), photo.astype(np.float32)
    luma_x, luma_y = (x @ LUMA)[..., None], (y @ LUMA)[..., None]
    return _uint8(luma_x + share * (x - luma_x) + (1 - share) * (y - luma_y))


def keep_light(picture: np.ndarray, photo: np.ndarray, share: float) -> np.ndarray:
    """Give the areas of a picture `share` of the photo's light, and leave its lines alone; both (H, W, 3) uint8.

    The difference in luma is smoothed along the picture's own areas (`guided_filter`), whose thin dark lines are closed
    before, and added back: skin stays as light or dark as it is, and no halo crosses an outline.
    """
    x, y = (torch.from_numpy((image.astype(np.float32) / 255) @ LUMA)[None, None] for image in (picture, photo))
    dilated = F.max_pool2d(x, 5, 1, 2)
    areas = -F.max_pool2d(-dilated, 5, 1, 2)
    lost = guided_filter(areas, y - x, radius=24, eps=0.03)[0, 0].numpy()
    return _uint8(picture + 255 * share * lost[..., None])


def _uint8(values: np.ndarray) -> np.ndarray:
    rounded: np.ndarray = values.round().clip(0, 255).astype(np.uint8)
    return rounded
