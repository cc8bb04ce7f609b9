"""Landmarks of faces: points of each picture, read from side files."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sakuga.data.columns import Column, Crop
from sakuga.data.pictures import Pictures
from sakuga.errors import SakugaError, UsageError

SUFFIXES = (".landmarks.json", ".json", ".txt")
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
            the upright picture.
        mirrored: of each point, which one it becomes in the mirror; known for 5 and 68 points.

    Raises:
        UsageError: a picture has no side file, or the number of points is not the same everywhere or has no mirror.
        SakugaError: a side file does not hold points.
    """

    def __init__(self, pictures: Pictures, folder: Path, *, mirrored: Sequence[int] | None = None):
        self.sizes = pictures.sizes
        points: list[np.ndarray] = []
        for index, path in enumerate(pictures.paths):
            file = _side_file(path, pictures.below(index), folder)
            found, size = _read(file)
            height, width = pictures.originals[index]
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

    def take(self, crop: Crop) -> np.ndarray:
        """Return the points as they lie in a crop."""
        points: np.ndarray = self.points[crop.index] - np.array([crop.left, crop.top], np.float32)
        if crop.mirrored:
            points = points[self.mirrored]
            points[:, 0] = crop.size - 1 - points[:, 0]
        return points


def _side_file(path: Path, below: Path, folder: Path) -> Path:
    names = [folder / below.with_name(f"{below.stem}{suffix}") for suffix in SUFFIXES]
    found = next((name for name in names if name.is_file()), None)
    if found is None:
        raise UsageError(f"{path} has no landmarks in {folder}: `sakuga prepare landmarks` makes {names[0].name}")
    return found


def _read(file: Path) -> tuple[np.ndarray, tuple[int, int] | None]:
    """Return the points (K, 2) of a side file, and the width and height of its picture if it tells."""
    try:
        text = file.read_text(encoding="utf-8")
        size = None
        if file.suffix == ".json":
            content = json.loads(text)
            points = np.array(content["points"], dtype=np.float64)
            if "width" in content:
                size = (int(content["width"]), int(content["height"]))
        else:
            lines = (line.replace(",", " ").split() for line in text.splitlines())
            points = np.array([line for line in lines if line], np.float64)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SakugaError(f"{file} holds no landmarks ({type(error).__name__}: {error}): make it again") from error
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise SakugaError(f"{file} holds an array {points.shape}, not finite coordinates (K, 2): make it again")
    return points, size
