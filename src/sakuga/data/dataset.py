"""A data set: batches of columns as a function of seed, step and rank, so that resuming needs no state."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.data.columns import Column, Crop, Derived, Noise
from sakuga.data.images import to_tensor
from sakuga.data.pictures import Pictures

Draw = Literal["area", "picture", "class"]
Schedule = int | Callable[[int], int]
"""A number, or a function of the step."""


class Sampling(Protocol):
    """How batches are drawn; every system's config says it."""

    seed: int
    batch: int
    crop: int
    mirror: bool


class Dataset:
    """Columns that follow one draw: the values of a sample belong to one item, one crop and one mirroring.

    `one | other` is a data set of both, each drawn independently, as photos and pictures of a style are.

    Args:
        columns: by their names in the batch, of equal length.
        config: the seed, the samples in a batch of all processes, the side of the square crops, and whether half of
            these are mirrored.
        draw: which item a sample is of: by "area", so that every pixel of the collection is as likely; every "picture"
            as likely; or every "class" of the first column that has `classes`, and within it every picture.
        batch: in place of the config's: a number, or a function of the step.
        crop: the same.

    Raises:
        ValueError: columns differ in length, or there are no classes to draw by.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        config: Sampling,
        *,
        draw: Draw = "area",
        batch: Schedule | None = None,
        crop: Schedule | None = None,
    ):
        self.columns = dict(columns)
        self.seed, self.mirror, self.draw = config.seed, config.mirror, draw
        self._batch = config.batch if batch is None else batch
        self._crop = config.crop if crop is None else crop
        self._parts: tuple[Dataset, ...] = (self,)
        self._needed = list(dict.fromkeys(_flattened(self.columns.values())))
        items = [column for column in self._needed if not isinstance(column, (Derived, Noise))]
        if len({len(column) for column in items}) > 1:
            raise ValueError(f"columns of {', '.join(str(len(column)) for column in items)} items cannot be one draw")
        self._length = len(items[0]) if items else 0
        self._sizes = next((column.sizes for column in items if column.sizes is not None), None)
        self._members: list[np.ndarray] = []
        if draw == "class":
            classes = next((column.classes for column in items if column.classes is not None), None)
            if classes is None:
                raise ValueError("no column has classes to draw by")
            self._members = [np.flatnonzero(classes == k) for k in np.unique(classes)]

    def __or__(self, other: "Dataset") -> "Dataset":
        if shared := self._names() & other._names():
            raise ValueError(f"both have a column {min(shared)}")
        joined = copy.copy(self)
        joined._parts = self._parts + other._parts
        return joined

    def __getitem__(self, name: str) -> Column:
        return next(part.columns[name] for part in self._parts if name in part.columns)

    def pictures(self, name: str) -> Pictures:
        """Return a column that is a collection of pictures."""
        column = self[name]
        assert isinstance(column, Pictures)
        return column

    def _names(self) -> set[str]:
        return {name for part in self._parts for name in part.columns}

    def batch(self, step: int, rank: int = 0, world: int = 1) -> dict[str, Tensor]:
        """Return the part of a step's batch of process `rank` of `world`; together they are the batch of one process.

        Raises:
            SakugaError: a file cannot be read.
        """
        rng = np.random.default_rng((self.seed, step))
        batch: dict[str, Tensor] = {}
        for part in self._parts:
            batch |= part._own(rng, step, rank, world)
        return batch

    def _own(self, rng: np.random.Generator, step: int, rank: int, world: int) -> dict[str, Tensor]:
        count = _at(self._batch, step)
        crops = self._crops(rng, count, _at(self._crop, step))[rank::world]
        noise = {c: c.draw(rng, count)[rank::world] for c in self._needed if isinstance(c, Noise)}
        samples = []
        for i, crop in enumerate(crops):
            # What several columns are made of is decoded and cut once.
            known: dict[Column, np.ndarray] = {column: drawn[i] for column, drawn in noise.items()}
            samples.append([_take(column, crop, known) for column in self.columns.values()])
        return {name: _stacked(values) for name, values in zip(self.columns, zip(*samples, strict=True), strict=True)}

    def _crops(self, rng: np.random.Generator, count: int, size: int) -> list[Crop]:
        if not self._length:
            return [Crop(0, 0, 0, 0, False)] * count
        if self._sizes is None:
            return [Crop(int(i), 0, 0, 0, False) for i in self._indices(rng, count)]
        return place_crops(self._indices(rng, count), self._sizes, size=size, rng=rng, mirror=self.mirror)

    def _indices(self, rng: np.random.Generator, count: int) -> np.ndarray:
        if self.draw == "class":
            kinds = rng.integers(len(self._members), size=count)
            return np.array([members[rng.integers(len(members))] for members in (self._members[k] for k in kinds)])
        if self.draw == "picture" or self._sizes is None:
            return rng.integers(self._length, size=count)
        return by_area(self._sizes, count, rng)


def by_area(sizes: Sequence[tuple[int, int]], count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw items by their area."""
    areas = np.array([height * width for height, width in sizes], dtype=float)
    return rng.choice(len(areas), size=count, p=areas / areas.sum())


def place_crops(
    indices: Sequence[int] | np.ndarray,
    sizes: Sequence[tuple[int, int]],
    *,
    size: int,
    rng: np.random.Generator,
    mirror: bool = True,
) -> list[Crop]:
    """Choose a random place for a crop of each item, and whether it is mirrored.

    Args:
        indices: the items.
        sizes: (height, width) of every item there is.
        size: side of the square crops.
        rng: random numbers.
        mirror: whether half of the crops are mirrored.
    """
    crops = []
    for index in indices:
        height, width = sizes[index]
        top, left = (int(rng.integers(max(side - size, 0) + 1)) for side in (height, width))
        crops.append(Crop(int(index), top, left, size, bool(rng.random() < 0.5) and mirror))
    return crops


def sample_squares(pictures: Sequence[np.ndarray], *, count: int = 4, size: int | None = None) -> Tensor:
    """Up to `count` pictures from all over a collection, cut to one square whose side is a multiple of four.

    The side is the shortest there is, but no less than 64: smaller pictures are continued by reflection. With `size`,
    for a style that takes no other, the squares of the shortest side are scaled to that one.
    """
    chosen = pictures[:: max(1, len(pictures) // count)][:count]
    shortest = min(min(picture.shape[:2]) for picture in chosen)
    side = shortest if size else max(64, shortest // 4 * 4)
    squares = to_tensor(np.stack([Crop(0, 0, 0, side, False).cut(picture) for picture in chosen]))
    return squares if size in (None, side) else F.interpolate(squares, size=(size, size), mode="area")


def _flattened(columns: Iterable[Column]) -> Iterator[Column]:
    for column in columns:
        if isinstance(column, Derived):
            yield from _flattened(column.columns)
        yield column


def _take(column: Column, crop: Crop, known: dict[Column, np.ndarray]) -> np.ndarray:
    if column not in known:
        if isinstance(column, Derived):
            known[column] = column.function(*(_take(one, crop, known) for one in column.columns))
        else:
            known[column] = column.take(crop)
    return known[column]


def _stacked(values: Sequence[np.ndarray]) -> Tensor:
    stack = np.stack(values)
    return to_tensor(stack) if stack.dtype == np.uint8 and stack.ndim == 4 else torch.from_numpy(stack)


def _at(schedule: Schedule, step: int) -> int:
    return schedule(step) if callable(schedule) else schedule
