"""Which files a step reads and what its results are called."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from sakuga.data.images import find_images
from sakuga.errors import UsageError
from sakuga.runtime.atomic import atomic


class File(NamedTuple):
    """A source and the place of its results below the output folder, without a suffix."""

    source: Path
    name: Path


def find(inputs: Sequence[Path], out: Path | None = None, *, files: Iterable[Path] | None = None) -> list[File]:
    """Return all pictures of some folders and files, and names for their results that no two share.

    A name is the path below the folder (below the folder's own name when there are several inputs) without suffix;
    where two would be the same they are longer. What a folder holds below `out` is no input: it was made of the others.

    Args:
        inputs: folders and files.
        out: the output folder.
        files: the files to name, by default the pictures in `inputs`.

    Raises:
        UsageError: an input is missing, is the output folder, or there is no picture.
    """
    if not inputs:
        raise UsageError("No input is given: name a folder of pictures")
    made = None if out is None else Path(os.path.abspath(out))
    for place in inputs:
        if made == Path(os.path.abspath(place)):
            raise UsageError(f"--output {out} is the input itself, which is never changed: name another folder")
    seen: dict[Path, Path] = {}
    named = {Path(place) for place in inputs}
    for path in find_images(inputs) if files is None else files:
        absolute = Path(os.path.abspath(path))
        if path in named or not (path.name.startswith(".") or made in absolute.parents):
            seen.setdefault(absolute, path)
    if not seen:
        places = ", ".join(map(str, inputs)) or "nothing"
        raise UsageError(f"no picture found in {places}: name a folder of pictures")
    below = [_below(path, inputs) for path in seen.values()]
    levels = [0] * len(below)
    while True:
        names = [_name(*parts) for parts in zip(below, seen, levels, strict=True)]
        count = Counter(str(name).casefold() for name in names)
        shared = [count[str(name).casefold()] > 1 and level < 2 for name, level in zip(names, levels, strict=True)]
        if not any(shared):
            return [File(path, name) for path, name in zip(seen.values(), names, strict=True)]
        levels = [level + more for level, more in zip(levels, shared, strict=True)]


def _below(path: Path, inputs: Sequence[Path]) -> Path:
    for folder in inputs:
        if folder.is_dir() and path.is_relative_to(folder):
            place = path.relative_to(folder)
            return place if len(inputs) == 1 else Path(folder.resolve().name) / place
    return Path(path.name)


def _name(place: Path, absolute: Path, level: int) -> Path:
    if level == 0:
        return place.with_suffix("")
    if level == 1:
        return place
    return place.with_name(f"{place.name}.{hashlib.sha256(os.fsencode(absolute)).hexdigest()[:8]}")


def save(picture: np.ndarray, target: Path, *, quality: int = 95) -> None:
    """Write (H, W, 3) or (H, W) uint8 as what the suffix says, whole, in place of what is there.

    `quality` is that of JPEG, which keeps its colours at full resolution.
    """
    with atomic(target, overwrite=True) as temporary:
        image = Image.fromarray(picture)
        if target.suffix == ".jpg":
            image.save(temporary, quality=quality, subsampling=0)
        else:
            image.save(temporary, compress_level=1)  # four times as fast as 6, and a twelfth larger
