"""`sakuga prepare landmarks`: side files with the landmarks of faces, by a detector of the user's choice."""

import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
from tyro.conf import Positional, arg

from sakuga.data.images import load_image
from sakuga.errors import SakugaError, UsageError
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
    detector: Annotated[str, arg(metavar="MODULE:FUNCTION", help_behavior_hint="")] = "",
    workers: int | None = None,
    overwrite: bool = False,
) -> int:
    """Find the landmarks of faces; each picture with a face gets a side file NAME.landmarks.json.

    It holds {"width": W, "height": H, "points": [[x, y], ...]}: the size of the upright picture in pixels, and K points
    in its pixel coordinates, (0, 0) the centre of the pixel at the top left, x to the right, y down.

    Args:
        inputs: folders of pictures.
        output: folder of the side files, with the tree of the input below it.
        detector: a function of an installed module or of a file in the current folder. It takes a picture, an array
            (H, W, 3) uint8 RGB, and returns an array (K, 2) of x and y, the same K for every picture, or None where
            there is no face.
        workers: processes; by default one for each core.
        overwrite: make again what is there.
    """
    if not detector:
        raise UsageError(
            "--detector is missing: name a function as MODULE:FUNCTION that takes a picture (H, W, 3) and returns its "
            "landmarks (K, 2), or None where there is no face; sakuga comes without one"
        )
    load_function(detector, "--detector")  # before any work
    recipe = describe("landmarks", detector=detector)
    function = partial(_detect, detector)
    files = find(inputs, output)
    status = work(files, function, output, recipe=recipe, workers=workers, overwrite=overwrite)
    rows = [(source, row) for source, found in read(output).items() for row in found if source]
    for source, row in rows:
        if row.why == NO_FACE:
            print(printable(f"{NO_FACE}: {os.path.normpath(output / source)}"))
    counts = {row.why: output / row.target for _, row in rows if row.kept == "yes"}
    if len(counts) > 1:
        say(
            f"--detector {detector} found different numbers of landmarks "
            f"({', '.join(f'{count} in {path}' for count, path in counts.items())}); it must always find as many"
        )
        return 1
    return status


def _detect(detector: str, source: Path, target: Path) -> Sequence[Row]:
    picture = load_image(source)
    find_landmarks: Detector = load_function(detector, "--detector")
    found = find_landmarks(picture)
    if found is None:
        return [Row("", "no", NO_FACE)]
    points = np.asarray(found, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise SakugaError(
            f"{source}: --detector {detector} returned an array {points.shape}, not finite coordinates (K, 2) or None"
        )
    height, width = picture.shape[:2]
    result = target.with_name(f"{target.name}.landmarks.json")
    with atomic(result, overwrite=True) as temporary:
        temporary.write_text(json.dumps({"width": width, "height": height, "points": points.tolist()}))
    return [Row(str(result), "yes", f"{len(points)} points")]
