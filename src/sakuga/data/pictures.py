"""A folder of pictures as a sequence of arrays, decoded when asked for and kept while there is room."""

import hashlib
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, TypedDict, overload

import numpy as np

from sakuga.data.columns import Column, Crop
from sakuga.data.images import find_images, load_image
from sakuga.errors import SakugaError
from sakuga.picture import read_header
from sakuga.runtime.console import say, track

KEEP = 2 << 30
"""Bytes of decoded pictures that a collection keeps in memory."""
KEEPING = threading.Lock()
"""Held while one is put there: several threads make batches. Not each collection's own, since systems are copied."""


class Options(TypedDict):
    """How `load_image` is to read every picture of a collection."""

    half: Literal["left", "right"] | None
    max_side: int | None
    short_side: int | None


class Pictures(Column, Sequence[np.ndarray]):
    """Pictures (H, W, 3) uint8 of some folders, in one order on every machine.

    Small collections are read at once, so that a broken file is met before training; of large ones the pictures that
    do not fit into `keep` bytes are decoded again whenever they are needed.

    Args:
        folders: searched to any depth; a file stands for itself; none make an empty collection.
        max_side: larger pictures are reduced until their longer side is this.
        short_side: all pictures are scaled until their shorter side is this.
        half: take only the left or the right half of each picture (pairs side by side).
        keep: bytes to hold in memory.

    Attributes:
        paths: the files.
        sizes: (height, width) of each.
        originals: the same before scaling, of the whole upright picture.

    Raises:
        UsageError: a folder is missing or holds no picture.
        SakugaError: a picture is not readable.
    """

    sizes: list[tuple[int, int]]

    def __init__(
        self,
        folders: Iterable[str | Path],
        *,
        max_side: int | None = None,
        short_side: int | None = None,
        half: Literal["left", "right"] | None = None,
        keep: int = KEEP,
    ):
        folders = list(folders)
        self.paths = find_images(folders) if folders else []
        self.options: Options = {"half": half, "max_side": max_side, "short_side": short_side}
        self._room = keep
        self._kept: dict[int, np.ndarray] = {}
        self.folders = [Path(folder) for folder in folders if Path(folder).is_dir()]
        self.originals: list[tuple[int, int]] = []
        self.sizes = []
        if self.folders:
            say(f"reading {len(self.paths):,} pictures of {', '.join(map(str, folders))}")
        for index, path in enumerate(track(self.paths, "pictures", len(self.paths))):
            _, width, height, _ = read_header(path)
            self.originals.append((height, width))
            self.sizes.append(self._size(path, height, width))
            if self._room > 0:
                self[index]

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...
    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index in self._kept:
            return self._kept[index]
        picture = load_image(self.paths[index], **self.options)
        if max(abs(a - b) for a, b in zip(picture.shape, self.sizes[index], strict=False)) > 1:  # of rounding
            raise SakugaError(f"{self.paths[index]} is not of the size it had at the start: start again")
        with KEEPING:
            if index in self._kept:
                return self._kept[index]
            if self._room >= picture.nbytes:
                self._kept[index] = picture
                self._room -= picture.nbytes
            else:
                self._room = 0
        return picture

    def take(self, crop: Crop) -> np.ndarray:
        """Cut a crop out of its picture, (size, size, 3) uint8."""
        return crop.cut(self[crop.index])

    def key(self, index: int) -> str:
        """A name for what is computed once from a picture as it is here: it changes with the file and the scaling."""
        path = self.paths[index]
        stamp = f"{path.resolve()} {path.stat().st_size} {path.stat().st_mtime_ns} {self.options}"
        return hashlib.sha256(stamp.encode()).hexdigest()[:16]

    def below(self, index: int) -> Path:
        """A picture's place below the folder that it was found in."""
        path = self.paths[index]
        places = (path.relative_to(folder) for folder in self.folders if path.is_relative_to(folder))
        return next(places, Path(path.name))

    def _size(self, path: Path, height: int, width: int) -> tuple[int, int]:
        """What `load_image` will return of a picture of this size."""
        if self.options["half"] is not None:
            width //= 2
            if not width:
                raise SakugaError(f"{path} is too narrow to be halved: remove or replace it")
        short = self.options["short_side"]
        scale = short / min(width, height) if short else 1.0
        most = self.options["max_side"]
        if most and max(width, height) * scale > most:
            scale = most / max(width, height)
        return max(1, round(height * scale)), max(1, round(width * scale))
