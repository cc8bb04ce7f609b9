"""`sakuga prepare landmarks`: side files with the landmarks of faces, by a detector of the user's choice."""

import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from tyro.conf import Positional, arg

from sakuga.data.images import load_image
from sakuga.errors import SakugaError
from sakuga.faces.find import faces_beside
from sakuga.faces.mesh import COUNT, reduce
from sakuga.prepare.face_finding import LANDMARKS as OWN
from sakuga.prepare.face_finding import require_faces
from sakuga.prepare.files import find
from sakuga.prepare.manifest import Row, read
from sakuga.prepare.runner import describe, work
from sakuga.runtime.atomic import atomic
from sakuga.runtime.console import printable, say
from sakuga.runtime.plugin import load_function

Detector = Callable[[np.ndarray], np.ndarray | None]
"""(H, W, 3) uint8 RGB to (K, 2) pixel coordinates x, y, or None where there is no face."""

NO_FACE = "no face found"


def landmarks(
    inputs: Annotated[Positional[list[Path]], arg(metavar="IN...", help_behavior_hint="")],
    /,
    *,
    output: Annotated[Path, arg(aliases=["-o"], metavar="DIR")],
    points: Literal[5, 68] = 68,
    detector: Annotated[str, arg(metavar="MODULE:FUNCTION", help_behavior_hint="")] = "",
    workers: int | None = None,
    overwrite: bool = False,
) -> int:
    """Find the landmarks of faces; each picture with a face gets a side file NAME.landmarks.json.

    It holds {"width": W, "height": H, "points": [[x, y], ...]}: the size of the upright picture in pixels, and K points
    in its pixel coordinates, (0, 0) the centre of the pixel at the top left, x to the right, y down. Of several faces
    it is the largest. A file of landmarks beside a picture (NAME.landmarks.json, NAME.json, or NAME.txt with a line
    "x y" for each) wins: its points are taken.

    Args:
        inputs: folders of pictures.
        output: folder of the side files, with the tree of the input below it.
        points: iBUG's 68, or 5: centres of the eyes, nose and corners of the mouth.
        detector: in place of the mesh that `sakuga download faces` fetches, a function of an installed module or of a
            file in the current folder. It takes a picture, an array (H, W, 3) uint8 RGB, and returns an array (K, 2)
            of x and y, the same K for every picture, or None where there is no face.
        workers: processes; by default one for each core.
        overwrite: make again what is there.
    """
    files = find(inputs, output)
    if detector:
        load_function(detector, "--detector")  # before any work
    else:
        require_faces(files, "--detector MODULE:FUNCTION")
    recipe = describe("landmarks", detector=detector) if detector else describe("landmarks", points=points)
    function = partial(_detect, detector or OWN, None if detector else points)
    status = work(files, function, output, recipe=recipe, workers=workers, overwrite=overwrite)
    rows = [(source, row) for source, found in read(output).items() for row in found if source]
    for source, row in rows:
        if row.why == NO_FACE:
            print(printable(f"{NO_FACE}: {os.path.normpath(output / source)}"))
    counts = {row.why: output / row.target for _, row in rows if row.kept == "yes"}
    if len(counts) > 1:
        say(
            f"{f'--detector {detector}' if detector else 'side files and mesh'} found different numbers of landmarks "
            f"({', '.join(f'{count} in {path}' for count, path in counts.items())}); it must always find as many"
        )
        return 1
    return status


def _detect(detector: str, count: int | None, source: Path, target: Path) -> Sequence[Row]:
    picture = load_image(source)
    find_landmarks: Detector = load_function(detector, "--detector")
    beside = faces_beside(source, picture.shape[1::-1])
    found = beside[0].points if beside else find_landmarks(picture)
    if found is None:
        return [Row("", "no", NO_FACE)]
    points = np.asarray(found, dtype=float)
    if count and len(points) in (68, COUNT):
        points = reduce(points, count)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise SakugaError(
            f"{source}: --detector {detector} returned an array {points.shape}, not finite coordinates (K, 2) or None"
        )
    height, width = picture.shape[:2]
    result = target.with_name(f"{target.name}.landmarks.json")
    with atomic(result, overwrite=True) as temporary:
        temporary.write_text(json.dumps({"width": width, "height": height, "points": points.tolist()}))
    return [Row(str(result), "yes", f"{len(points)} points")]
