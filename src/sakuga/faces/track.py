"""The faces of a video: found in every frame, followed from one to the next, and held still where they hardly move."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakuga.faces.align import apply, similarity
from sakuga.faces.find import Face, find_faces, is_same
from sakuga.faces.mesh import COUNT, MIN_SCORE, relocate
from sakuga.faces.weights import MESH, network
from sakuga.picture.pixels import Array, to8

LEVELS = 2
"""Sizes at which faces are looked for: the smallest ones of a video are not worth the time."""
EVERY = 6
"""Frames from one look at the whole picture to the next; between them each face is looked for where it was."""
STILL, FOLLOW = 0.15, 200.0
"""How far a face follows what is measured in a frame where nothing moves, and how much further for each distance of its
eyes by which it moves."""


class FaceTracker:
    """Returns the faces (as `find_faces` does) of one frame (H, W, 3) after another; not for several threads.

    The whole frame is looked at where a face is lost, too. Points move towards what is measured by a share that grows
    with the motion, so that they neither tremble nor lag behind.

    Source: Casiez, Roussel, Vogel, 1€ Filter, CHI 2012, whose share this is but for constants.
    """

    def __init__(self) -> None:
        self._faces: list[Face] = []
        self._frames = 0
        self.seen = 0
        """Faces found so far, in all frames together."""

    def __call__(self, rgb: Array) -> list[Face]:
        """Return the faces of the next frame."""
        pixels = to8(rgb)
        found: list[Face] = []
        for last in self._faces:
            points, score = relocate(pixels, last.points, network(MESH))
            if score >= MIN_SCORE and not any(is_same(Face(points), other) for other in found):
                found.append(Face(points))
        if self._frames % EVERY == 0 or len(found) < len(self._faces):
            new = find_faces(pixels, levels=LEVELS)
            found += [face for face in new if not any(is_same(face, other) for other in found)]
        self._faces = [Face(smoothed(face, self._faces)) for face in found]
        self._frames += 1
        self.seen += len(found)
        return self._faces

    def state(self) -> dict[str, Any]:
        """What the next frame depends on, as arrays."""
        points = np.array([face.points for face in self._faces]).reshape(-1, COUNT, 2)
        return {"faces": points, "faces_frames": np.array(self._frames), "faces_seen": np.array(self.seen)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another tracker was when it gave `state`."""
        self._faces = [Face(points) for points in state["faces"]]
        self._frames, self.seen = int(state["faces_frames"]), int(state["faces_seen"])


def smoothed(face: Face, before: list[Face]) -> NDArray[np.float64]:
    """Return the points of a face, drawn towards those that it had in the frame before."""
    last = next((one for one in before if is_same(one, face)), None)
    if last is None:
        return face.points
    carried = apply(similarity(last.points, face.points), last.points)  # the motion without what each point trembles
    motion = float(np.abs(carried - last.points).mean()) / face.eyes
    speed = STILL + FOLLOW * motion
    return last.points + speed / (1 + speed) * (face.points - last.points)
