"""Superpixels of photographs, computed once, by several processes, and kept on disk."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from rich.progress import track
from skimage.segmentation import slic

from sakuga.atomic import atomic
from sakuga.data.pictures import Pictures

PER_PATCH = 200
"""Segments in 256×256 pixels."""


def superpixels(picture: np.ndarray) -> np.ndarray:
    """SLIC segments of (H, W, 3) uint8 as labels (H, W) int32 from 0 on.

    200 segments in every 256×256 pixels, compactness 10, a blur of one pixel before, in Lab: the values of the official
    White-box code (Wang, Yu, CVPR 2020).
    """
    wanted = max(1, round(PER_PATCH * picture.shape[0] * picture.shape[1] / 256**2))
    labels: np.ndarray = slic(picture, n_segments=wanted, compactness=10, sigma=1, start_label=0).astype(np.int32)
    return labels


def segment(pictures: Pictures, cache: Path) -> Sequence[Path]:
    """Return a file of `superpixels` (`.npy`) for every picture, making those that `cache` does not hold yet."""
    cache.mkdir(parents=True, exist_ok=True)
    files = [cache / f"{pictures.key(index)}.npy" for index in range(len(pictures))]
    missing = [i for i, file in enumerate(files) if not file.exists()]
    if missing:
        workers = min(len(missing), os.cpu_count() or 1)
        with ProcessPoolExecutor(workers) as pool:
            made = pool.map(superpixels, (pictures[i] for i in missing))
            for i, labels in zip(missing, track(made, "Superpixels", total=len(missing)), strict=True):
                with atomic(files[i], overwrite=True) as temporary, temporary.open("wb") as file:
                    np.save(file, labels)
    return files
