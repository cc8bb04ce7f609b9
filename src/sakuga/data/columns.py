"""Columns of a data set: what a batch can hold of each of its items besides the picture itself (`Pictures`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Crop:
    """A square of one item of a data set, perhaps mirrored."""

    index: int
    top: int
    left: int
    size: int
    mirrored: bool

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """Cut it out of (H, W, ...); a smaller picture is continued by reflection."""
        crop = picture[self.top : self.top + self.size, self.left : self.left + self.size]
        short = (self.size - crop.shape[0], self.size - crop.shape[1])
        if max(short) > 0:
            crop = np.pad(crop, ((0, short[0]), (0, short[1]), *((0, 0),) * (crop.ndim - 2)), mode="symmetric")
        return crop[:, ::-1] if self.mirrored else crop


class Column:
    """One value for each item of a data set; a kind of data says here what a crop and a mirror do to it.

    Attributes:
        sizes: (height, width) of what is cropped of each item; None where nothing is.
        classes: the class of each item (N,), by which a draw can be balanced; None where there are none.
    """

    sizes: Sequence[tuple[int, int]] | None = None
    classes: np.ndarray | None = None

    def __len__(self) -> int:
        raise NotImplementedError

    def take(self, crop: Crop) -> np.ndarray:
        """Return what belongs to a crop of item `crop.index`.

        Pictures (H, W, 3) uint8 become (N, 3, H, W) in [-1, 1] in the batch, everything else is stacked as it is.
        """
        raise NotImplementedError


class Rows(Column):
    """A fixed array for each item, (N, ...), which no crop changes."""

    def __init__(self, values: Sequence[np.ndarray] | np.ndarray):
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def take(self, crop: Crop) -> np.ndarray:
        """Return the item's array."""
        return np.asarray(self.values[crop.index])


class Noise(Column):
    """Random numbers of one shape, new for every sample: of the standard normal distribution, or uniform in [0, 1)."""

    def __init__(self, *shape: int, uniform: bool = False):
        self.shape, self.uniform = shape, uniform

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Return those of a whole batch, (count, *shape)."""
        shape = (count, *self.shape)
        return rng.random(shape) if self.uniform else rng.standard_normal(shape, dtype=np.float32)


class Derived(Column):
    """What a function makes of other columns of the same crop, such as the crop with smoothed edges.

    The other columns need no name in the batch.
    """

    def __init__(self, function: Callable[..., np.ndarray], *columns: Column):
        self.function, self.columns = function, columns
