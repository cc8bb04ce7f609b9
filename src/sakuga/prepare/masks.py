"""`sakuga prepare masks`: where the faces of pictures are."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.spatial import ConvexHull, QhullError

from sakuga.data.images import load_image
from sakuga.errors import SakugaError
from sakuga.faces.find import Face, faces_beside, find_faces
from sakuga.prepare.face_finding import require_faces
from sakuga.prepare.files import find, save
from sakuga.prepare.landmarks import NO_FACE
from sakuga.prepare.manifest import Row
from sakuga.prepare.options import Flag, Inputs, Number, Output
from sakuga.prepare.runner import describe, work


def masks(
    inputs: Inputs, /, *, output: Output, parts: Flag = False, workers: Number = None, overwrite: Flag = False
) -> int:
    """Draw where faces are: a gray picture for each one, of its size, white on the face and black around it.

    The face is what lies within all landmarks of the mesh that `sakuga download faces` fetches. Of a picture with a
    file of landmarks beside it (NAME.landmarks.json, NAME.json, NAME.txt) it is what lies within these.

    Args:
        inputs: folders of pictures.
        output: folder of the masks, PNG, with the tree of the input below it.
        parts: only eyes, nose and mouth, each with a margin.
        workers: processes; by default one for each core.
        overwrite: make again what is there.
    """
    files = find(inputs, output)
    require_faces(files)
    recipe = describe("masks", parts=parts)
    return work(files, partial(_mask, parts), output, recipe=recipe, workers=workers, overwrite=overwrite)


def _mask(parts: bool, source: Path, target: Path) -> Sequence[Row]:
    picture = load_image(source)
    height, width = picture.shape[:2]
    faces = faces_beside(source, (width, height)) or find_faces(picture)
    if not faces:
        return [Row("", "no", NO_FACE)]
    try:
        mask = draw(faces, (width, height), parts=parts)
    except (KeyError, QhullError) as error:
        raise SakugaError(f"{source}: its landmarks surround no face: find 68 or more of them") from error
    result = target.with_name(f"{target.name}.png")
    save(mask, result)
    return [Row(str(result))]


def draw(faces: Sequence[Face], size: tuple[int, int], *, parts: bool = False) -> np.ndarray:
    """Return the mask (H, W) uint8, 255 on the faces of a picture of `size` (width, height); `parts`: as `masks` says.

    Raises KeyError for parts of a face of fewer than 68 landmarks, QhullError for points on one line.
    """
    mask = Image.new("L", size)
    for face in faces:
        for points in _parts(face) if parts else [face.points]:
            outline = points[ConvexHull(points).vertices]
            ImageDraw.Draw(mask).polygon([tuple(point) for point in outline.tolist()], fill=255)
    return np.asarray(mask)


def _parts(face: Face) -> list[np.ndarray]:
    """Eyes with their brows, nose, and mouth, a quarter larger than their landmarks."""
    points = face.landmarks(68)
    groups = [[*range(17, 22), *range(36, 42)], [*range(22, 27), *range(42, 48)], range(27, 36), range(48, 68)]
    found = [points[list(group)] for group in groups]
    return [part.mean(0) + 1.25 * (part - part.mean(0)) for part in found]
