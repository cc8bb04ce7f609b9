"""Landmarks that lie in a file beside a picture: found before, or set by hand."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sakuga.errors import SakugaError

SUFFIXES = (".landmarks.json", ".json", ".txt")


def find_side_file(folder: Path, stem: str) -> Path | None:
    """Return the file in a folder that holds the landmarks of the picture of this name without suffix."""
    names = (folder / f"{stem}{suffix}" for suffix in SUFFIXES)
    return next((name for name in names if name.is_file()), None)


def read_side_file(file: Path) -> tuple[NDArray[np.float64], tuple[int, int] | None]:
    """Return the points (K, 2), x and y in pixels of the upright picture, and its width and height if the file tells.

    JSON holds {"width": W, "height": H, "points": [[x, y], ...]}, of which the size may be missing, a text a line "x y"
    for each point. Raises SakugaError where there are no points.
    """
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
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise SakugaError(f"{file} holds no landmarks ({type(error).__name__}: {error}): make it again") from error
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise SakugaError(f"{file} holds an array {points.shape}, not finite coordinates (K, 2): make it again")
    return points, size
