"""Every face of a picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sakuga.faces.detector import MAX_LEVELS, detect
from sakuga.faces.mesh import MIN_SCORE, locate, reduce
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
