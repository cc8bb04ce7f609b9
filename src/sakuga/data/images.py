"""Pictures below folders, and one of them as an array or a tensor."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sakuga.errors import SakugaError, UsageError
from sakuga.picture import READABLE_SUFFIXES, read_rgb
from sakuga.runtime.folder import Found, walk

LONGEST = 30
"""A picture's longer side as a multiple of its shorter one, beyond which it is not enlarged: it would fill memory."""


def find_images(folders: Iterable[str | Path]) -> list[Path]:
    """Return all pictures below the folders (a file stands for itself), in one order on every machine.

    Hidden files, such as what a killed run left half written, are taken only when they are named themselves. What is in
    folders that cannot be read is left out; `unreadable` names those.

    Raises:
        UsageError: a folder is missing, or there is no picture in any of them; SakugaError where one cannot be read.
    """
    found: list[Path] = []
    places = [Path(f) for f in folders]
    for folder in places:
        if folder.is_file():
            found.append(folder)
        elif folder.is_dir():
            found += walk(folder, READABLE_SUFFIXES).files
        else:
            what = "is neither a file nor a folder" if folder.exists() else "does not exist"
            raise UsageError(f"{folder} {what}: name a folder of pictures")
    if not found:
        for sentence in unreadable(places):
            raise SakugaError(f"{sentence}, and nothing else is there: check whose it is")
        raise UsageError(f"no picture found in {', '.join(map(str, places))}: name a folder of pictures")
    return found


def unreadable(places: Iterable[str | Path]) -> list[str]:
    """A sentence for each folder, below those that are named, that cannot be read."""
    found = (each for place in map(Path, places) if place.is_dir() for each in walk(place, ()).unreadable)
    return [f"{sentence}: what is in it is left out" for sentence in dict.fromkeys(found)]


def left_out(folders: Iterable[str | Path]) -> str:
    """The files that `find_images` passes over, in words: "3 .xcf, 1 .txt"; empty where there are none."""
    every = Found()
    for folder in map(Path, folders):
        if folder.is_dir():
            every.others += walk(folder, READABLE_SUFFIXES).others
    return every.left_out()


def load_image(
    path: Path,
    *,
    half: Literal["left", "right"] | None = None,
    max_side: int | None = None,
    short_side: int | None = None,
) -> np.ndarray:
    """Read a picture upright as (H, W, 3) uint8 RGB; transparent parts are white.

    Args:
        path: the file.
        half: take the left or the right half of the picture alone.
        max_side: a longer side beyond this is reduced to it.
        short_side: the shorter side is scaled, up or down, to this.

    Raises:
        SakugaError: there is no such file, or it is not a readable picture.
    """
    image = Image.fromarray(read_rgb(path))
    if half is not None:
        middle = image.width // 2
        image = image.crop((0, 0, middle, image.height) if half == "left" else (image.width - middle, 0, *image.size))
    if short_side is not None and min(image.size) != short_side:
        scale = short_side / min(image.size)
        if max(image.size) * scale > LONGEST * short_side:
            raise SakugaError(
                f"{path} is a strip of {image.width}x{image.height}, too long to be scaled to a shorter side of "
                f"{short_side}: remove it"
            )
        image = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.LANCZOS)
    if max_side is not None and max(image.size) > max_side:
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return np.asarray(image)


def to_tensor(image: np.ndarray) -> Tensor:
    """(H, W, 3) or (N, H, W, 3) uint8 -> (N, 3, H, W) float in [-1, 1]."""
    batch = torch.from_numpy(np.array(image if image.ndim == 4 else image[None]))
    return batch.permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()


def to_uint8(image: Tensor) -> np.ndarray:
    """(N, 3, H, W) in [-1, 1] -> (N, H, W, 3) uint8, clipped and rounded."""
    scaled = image.detach().float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).cpu().numpy()
