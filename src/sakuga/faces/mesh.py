"""The mesh: 468 points of a face that was found, and the few of them that others count by."""

import numpy as np
from numpy.typing import NDArray

from sakuga.faces.align import Matrix, apply, cut, inverse, square_at
from sakuga.faces.detector import Detection, Run
from sakuga.picture.pixels import Array

SIDE, COUNT = 192, 468
MIN_SCORE = 0.5
MARGIN = 1.5
"""How many times longer than the face the square is that the network is given."""

IBUG = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),  # jaw
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),  # brows
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),  # nose
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # eyes
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),  # lips, outside
    *(78, 82, 13, 312, 308, 317, 14, 87),  # lips, inside
)
"""Which points of the mesh lie where iBUG's 68 are."""


def locate(rgb: Array, found: Detection, run: Run) -> tuple[NDArray[np.float64], float]:
    """Return the mesh (468, 2) of a face in (H, W, 3) uint8, in pixels, and how sure the network is of it, 0 to 1.

    The network looks twice: where the detector saw the face, then where the first mesh lies.
    Source: Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, 2019.
    """
    low, high = found.box[:2], found.box[2:]
    dx, dy = found.points[1] - found.points[0]
    square = square_at((low + high) / 2, MARGIN * float(max(high - low)), float(np.arctan2(dy, dx)), SIDE)
    points, score = _look(rgb, square, run)
    return relocate(rgb, points, run) if score >= MIN_SCORE else (points, score)


def relocate(rgb: Array, points: Array, run: Run) -> tuple[NDArray[np.float64], float]:
    """Return the mesh of a face whose mesh was `points` a moment ago, and how sure the network is of it."""
    left, right = reduce(points, 5)[:2]
    angle = float(np.arctan2(*(right - left)[::-1]))
    turned = (points @ [1, 1j]) * np.exp(-1j * angle)
    x, y = (np.array([part.min(), part.max()]) for part in (turned.real, turned.imag))
    middle = complex(x.mean(), y.mean()) * np.exp(1j * angle)
    square = square_at(np.array([middle.real, middle.imag]), MARGIN * float(max(np.ptp(x), np.ptp(y))), angle, SIDE)
    return _look(rgb, square, run)


def reduce(points: Array, count: int) -> NDArray[np.float64]:
    """Return iBUG's 68 landmarks of a mesh, or 5 (centres of the eyes, nose, corners of the mouth) of either.

    Left and right are those of the picture. Raises KeyError where these cannot be had of so many points.
    """
    if len(points) == count:
        return np.asarray(points, np.float64)
    if count == 5 and len(points) in (68, COUNT):
        points = reduce(points, 68)
        return np.stack([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])
    return np.asarray(points, np.float64)[list({(COUNT, 68): IBUG}[len(points), count])]


def _look(rgb: Array, square: Matrix, run: Run) -> tuple[NDArray[np.float64], float]:
    pixels = cut(rgb, square, (SIDE, SIDE), outside="black").astype(np.float32)
    mesh, logit = run(pixels[None] / 255)
    points = mesh.reshape(COUNT, 3)[:, :2].astype(np.float64) - 0.5  # the depth is of no use here
    return apply(inverse(square), points), float(1 / (1 + np.exp(-np.clip(logit.flat[-1], -80, 80))))
