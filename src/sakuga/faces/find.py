"""Every face of a picture."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sakuga.errors import SakugaError
from sakuga.faces.detector import MAX_LEVELS, detect
from sakuga.faces.mesh import MIN_SCORE, locate, reduce
from sakuga.faces.side_files import find_side_file, read_side_file
from sakuga.faces.weights import DETECTOR, MESH, network
from sakuga.picture.pixels import Array, to8

MIN_EYES_PIXELS = 6.0
"""Eyes that lie nearer together belong to faces of some 15 pixels, of which there is nothing to be seen."""


@dataclass(frozen=True)
class Face:
    """A face: `points` (K, 2), its landmarks x, y in pixels of the picture, K being 468, 68 or 5."""

    points: NDArray[np.float64]

    def landmarks(self, count: int) -> NDArray[np.float64]:
        """Return 5 or 68 of them; raises KeyError for 68 of a face with 5."""
        return reduce(self.points, count)

    @property
    def eyes(self) -> float:
        """Distance of the eyes in pixels."""
        left, right = self.landmarks(5)[:2]
        return float(np.hypot(*(right - left)))

    @property
    def box(self) -> NDArray[np.float64]:
        """x0, y0, x1, y1 around all landmarks."""
        return np.concatenate([self.points.min(0), self.points.max(0)])


def find_faces(rgb: Array, *, levels: int = MAX_LEVELS) -> list[Face]:
    """Find the faces of (H, W, 3) uint8 or uint16, the most certain first; `levels` as `detector.detect` has it.

    Raises UsageError where `sakuga download faces` or the extra is missing.
    """
    pixels, found = to8(rgb), list[Face]()
    for detection in detect(pixels, network(DETECTOR), levels=levels):
        points, score = locate(pixels, detection, network(MESH))
        face = Face(points)
        if score >= MIN_SCORE and face.eyes >= MIN_EYES_PIXELS and not any(is_same(face, other) for other in found):
            found.append(face)
    return found


def is_same(face: Face, other: Face) -> bool:
    """Whether two are one face: what lies between the eyes and the mouth is nearer than half the eyes' distance."""
    first, second = (one.landmarks(5).mean(0) for one in (face, other))
    return bool(np.hypot(*(first - second)) < max(face.eyes, other.eyes) / 2)


def faces_beside(picture: Path, size: tuple[int, int]) -> list[Face]:
    """Return the face whose landmarks lie in a file beside a picture of a size (width, height); nothing without one.

    Raises SakugaError where the file holds none, or those of a picture of another size.
    """
    file = find_side_file(picture.parent, picture.stem)
    if file is None:
        return []
    points, there = read_side_file(file)
    if there not in (None, size):
        raise SakugaError(f"{file} is of a picture of {there}, and {picture} is {size[0]}x{size[1]}: find them again")
    if (points < -np.array(size)).any() or (points > 2 * np.array(size)).any() or np.ptp(points, axis=0).max() < 1:
        raise SakugaError(f"{file} holds points that are not of a face in {picture}: find them again")
    return [Face(points)]


def landmarks(rgb: Array) -> NDArray[np.float64] | None:
    """Return iBUG's 68 landmarks (68, 2) of the largest face of a picture; None without any."""
    largest = max(find_faces(rgb), key=lambda face: np.ptp(face.points, axis=0).max(), default=None)
    return None if largest is None else largest.landmarks(68)


def boxes(rgb: Array) -> list[NDArray[np.float64]]:
    """Return x0, y0, x1, y1 around the landmarks of every face of a picture: from the brows to the chin."""
    return [face.box for face in find_faces(rgb)]
