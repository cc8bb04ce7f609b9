"""Landmarks of faces: points of each picture, read from side files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sakuga.data.columns import Column, Crop
from sakuga.data.pictures import Pictures
from sakuga.errors import SakugaError, UsageError
from sakuga.faces.side_files import SUFFIXES, find_side_file, read_side_file

MIRRORED: dict[int, tuple[int, ...]] = {
    5: (1, 0, 2, 4, 3),  # eyes, nose, corners of the mouth
    68: (
        *range(16, -1, -1),  # jaw
        *range(26, 16, -1),  # brows
        *range(27, 31),  # bridge of the nose
        *range(35, 30, -1),  # its wings
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),  # eyes
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),  # lips, outside
        *(64, 63, 62, 61, 60, 67, 66, 65),  # lips, inside
    ),
}
"""Of a number of landmarks, which one each becomes in the mirror: five points as detectors give them, iBUG's 68."""


class Landmarks(Column):
    """Points of each picture as (K, 2) float32, x to the right and y down, in pixels of the crop.

    (0, 0) is the centre of the crop's first pixel; points outside of the crop stay where they are. A mirror turns x
    around and swaps what is left and right.

    Args:
        pictures: the pictures; the points are scaled as they are.
        folder: of side files of the pictures' names, in the tree of theirs: NAME.landmarks.json as `sakuga prepare
            landmarks` writes it, NAME.json alike, or NAME.txt with a line "x y" for each point, both in pixels of
            the upright picture, or of its half where `pictures` are halves.
        mirrored: of each point, which one it becomes in the mirror; known for 5 and 68 points.

    Raises:
        UsageError: a picture has no side file, or the number of points is not the same everywhere or has no mirror.
        SakugaError: a side file does not hold points.
    """

    def __init__(self, pictures: Pictures, folder: Path, *, mirrored: Sequence[int] | None = None):
        self.sizes: list[tuple[int, int]] = pictures.sizes
        points: list[np.ndarray] = []
        for index, path in enumerate(pictures.paths):
            file = _side_file(path, pictures.below(index), folder)
            found, size = read_side_file(file)
            height, width = pictures.originals[index]
            width //= 2 if pictures.options["half"] else 1
            if size not in (None, (width, height)):
                raise SakugaError(f"{file} is of a picture of {size}, and {path} is {width}x{height}: find them again")
            scale = np.array(pictures.sizes[index][::-1]) / (width, height)
            points.append(((found + 0.5) * scale - 0.5).astype(np.float32))
            if len(found) != len(points[0]):
                raise UsageError(f"{file} has {len(found)} landmarks, others {len(points[0])}: all must have as many")
        self.points = points
        count = len(points[0])
        if mirrored is None and count not in MIRRORED:
            known = " or ".join(map(str, MIRRORED))
            raise UsageError(f"{folder} holds {count} landmarks a face: left and right are known of {known} only")
        self.mirrored = list(MIRRORED[count] if mirrored is None else mirrored)

    def __len__(self) -> int:
        return len(self.points)

    def around_middles(self, *, mirror: bool) -> np.ndarray:
        """Return the points of all pictures (M, K, 2) as seen from their middles; `mirror` adds their mirror images."""
        middles = np.array([(width - 1, height - 1) for height, width in self.sizes])[:, None] / 2
        points = np.stack(self.points) - middles
        return np.concatenate([points, points[:, self.mirrored] * [-1, 1]]) if mirror else points

    def take(self, crop: Crop) -> np.ndarray:
        """Return the points as they lie in a crop."""
        points: np.ndarray = self.points[crop.index] - np.array([crop.left, crop.top], np.float32)
        if crop.mirrored:
            points = points[self.mirrored]
            points[:, 0] = crop.size - 1 - points[:, 0]
        return points


def _side_file(path: Path, below: Path, folder: Path) -> Path:
    place = folder / below.parent
    found = find_side_file(place, below.stem)
    if found is None:
        first = place / f"{below.stem}{SUFFIXES[0]}"
        raise UsageError(f"{path} has no landmarks in {folder}: `sakuga prepare landmarks` makes {first.name}")
    return found
