"""Small photographs, and a training on them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from sakuga.cli import main

ODD = "Ünïcødé 写真 (1)"
SMALL = ["--size", "64", "--features", "alexnet", "--weights", "random:0"]


def fill(folder: Path, count: int, *, seed: int = 0, size: tuple[int, int] = (100, 80)) -> Path:
    """Make smooth pictures with a little noise."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for i in range(count):
        small = Image.fromarray(rng.integers(20, 235, (6, 8, 3), dtype=np.uint8))
        areas = np.asarray(small.resize(size, Image.Resampling.BICUBIC)).astype(int)
        noisy = (areas + rng.integers(-4, 5, areas.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{ODD} {i}.png")
    return folder


def train(run: Path, photos: Path, *more: object) -> Path:
    """Distil the teacher `invert` into a tiny student."""
    command: Sequence[object] = [
        *("train", "distill", "--run", run, "--photos", photos, "--cache", run.parent / "cache"),
        *("--crop", 32, "--batch", 2, "--width", 8, "--blocks", 1, "--save-every", 2, "--log-every", 1),
        *("--teacher", f"{__name__}:invert", "--perceptual", 0, "--steps", 4, "--accelerator", "cpu", *more),
    ]
    assert main([str(word) for word in command]) == 0
    return run


def invert(photo: np.ndarray) -> np.ndarray:
    return 255 - photo
