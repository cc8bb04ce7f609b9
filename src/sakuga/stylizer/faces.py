"""Styles for faces on any picture: each face is brought into the style's frame, stylized, and pasted back."""

from collections.abc import Callable, Iterable
from math import ceil

import numpy as np

from sakuga.errors import SakugaError
from sakuga.faces.align import Matrix, compose, cut, paste, scale_of, similarity, square_at
from sakuga.faces.find import Face
from sakuga.faces.frame import FaceFrame
from sakuga.picture.pixels import Array

NO_FACE = (
    "has no face that could be found: take the whole picture as one (--set frame=whole), or lay its landmarks beside "
    "it as NAME.landmarks.json"
)

HEAD = 4.6
"""Sides of the square around a head, in distances of its eyes."""
MAX_SQUARE = 16
"""How many times longer than the landmarks the square of a face may be."""
SIDE = 352
"""Pixels of the square in which styles draw a face well: its eyes are 76 apart, far more than strokes are wide."""


def in_frames(
    rgb: Array, faces: Iterable[Face], frame: FaceFrame, run: Callable[[Array], Array], *, multiple: int = 1
) -> Array:
    """Return a picture (H, W, 3) with its faces stylized, one after the other, by `run`, which takes squares.

    Their sides are multiples of `multiple`, as large as the faces are in the picture where the frame permits it.
    """
    for face in faces:
        matrix, side = place(face, frame, multiple)
        rgb = paste(rgb, run(cut(rgb, matrix, (side, side))), matrix)
    return rgb


def place(face: Face, frame: FaceFrame, multiple: int) -> tuple[Matrix, int]:
    """Return the matrix from the picture to the square of a face, and the square's side in pixels."""
    try:
        points = face.landmarks(len(frame.template))
    except KeyError:
        raise SakugaError(
            f"the style counts {len(frame.template)} landmarks of a face, and here are {len(face.points)}: find them "
            "again, or remove their file"
        ) from None
    matrix = similarity(points, np.array(frame.template))
    if scale_of(matrix) * MAX_SQUARE * np.ptp(points, axis=0).max() < frame.side:
        raise SakugaError("the landmarks of a face lie in no order of one: find them again, or remove their file")
    side = ceil(max(1, 1 / scale_of(matrix)) * frame.side / multiple - 1e-6) * multiple
    side = min(side, (frame.max_side or frame.side) // multiple * multiple or multiple)
    scale = side / frame.side
    return compose(np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]]), matrix), side


def with_faces(
    rgb: Array, stylized: Array, faces: Iterable[Face], run: Callable[[Array], Array], *, brush: float = 1
) -> Array:
    """Return a stylized picture (H, W, 3) with its small faces, as `rgb` shows them, stylized again, enlarged.

    Strokes are `brush` pixels wide and cover what is smaller, such as the eyes of small faces. `run` takes squares of
    SIDE pixels or, of larger faces, more.
    """
    for face in faces:
        head = HEAD * face.eyes
        if head < SIDE * brush:
            side = max(SIDE, round(head))
            eyes, middle = face.landmarks(5)[:2].mean(0), face.landmarks(5).mean(0)
            matrix = square_at((eyes + middle) / 2, head, 0, side)
            stylized = paste(stylized, run(cut(rgb, matrix, (side, side))), matrix)
    return stylized
