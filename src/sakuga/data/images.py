"""Folders of pictures as arrays, and random crops of them as batches."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from sakuga.errors import SakugaError, UsageError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


def find_images(folders: Iterable[str | Path]) -> list[Path]:
    """Return all pictures below the folders (a file stands for itself), in one order on every machine.

    Raises:
        UsageError: a folder is missing, or there is no picture in any of them.
    """
    found: list[Path] = []
    places = [Path(f) for f in folders]
    for folder in places:
        if folder.is_file():
            found.append(folder)
        elif folder.is_dir():
            found += sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        else:
            raise UsageError(f"{folder} does not exist; name a folder of pictures.")
    if not found:
        raise UsageError(
            f"No picture found in {', '.join(map(str, places))}; name a folder of JPEG, PNG or WebP files."
        )
    return found


def load_image(path: Path, *, max_side: int | None = None) -> np.ndarray:
    """Read a picture upright as (H, W, 3) uint8 RGB, its longer side reduced to at most `max_side` pixels.

    Raises:
        UsageError: there is no such file.
        SakugaError: the file is not a readable picture.
    """
    if not path.is_file():
        raise UsageError(f"{path} does not exist; name a picture.")
    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SakugaError(f"{path} is not a readable picture ({error}); remove or replace it.") from error
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


def random_crops(
    layers: Sequence[Sequence[np.ndarray]],
    *,
    size: int,
    count: int,
    rng: np.random.Generator,
    rank: int = 0,
    world: int = 1,
) -> list[Tensor]:
    """Cut the same random crops from aligned lists of pictures.

    Args:
        layers: lists of pictures (H, W, 3) uint8; picture i of every list has the same size.
        size: side of the square crops; a smaller picture is continued by reflection.
        count: crops in the batch of all processes.
        rng: the only source of chance. A half of the crops is mirrored.
        rank: which of `world` equal parts of the batch to cut; together they are the batch of one process.
        world: number of processes.

    Returns:
        For each list a tensor (count / world, 3, size, size) in [-1, 1].
    """
    # A picture is drawn by its area, so every pixel of the collection is as likely.
    areas = np.array([p.shape[0] * p.shape[1] for p in layers[0]], dtype=float)
    out: list[list[np.ndarray]] = [[] for _ in layers]
    for place, index in enumerate(rng.choice(len(areas), size=count, p=areas / areas.sum())):
        height, width = layers[0][index].shape[:2]
        top = int(rng.integers(max(height - size, 0) + 1))
        left = int(rng.integers(max(width - size, 0) + 1))
        mirrored = rng.random() < 0.5
        if place % world != rank:
            continue
        for crops, pictures in zip(out, layers, strict=True):
            crop = pictures[index][top : top + size, left : left + size]
            short = (size - crop.shape[0], size - crop.shape[1])
            if max(short) > 0:
                crop = np.pad(crop, ((0, short[0]), (0, short[1]), (0, 0)), mode="symmetric")
            crops.append(crop[:, ::-1] if mirrored else crop)
    return [to_tensor(np.stack(crops)) for crops in out]


def sample_squares(photos: Sequence[np.ndarray], *, count: int = 4) -> Tensor:
    """Up to `count` photos from all over a collection, cut to one square whose side is a multiple of four."""
    chosen = photos[:: max(1, len(photos) // count)][:count]
    side = min(min(photo.shape[:2]) for photo in chosen) // 4 * 4
    return to_tensor(np.stack([photo[:side, :side] for photo in chosen]))
