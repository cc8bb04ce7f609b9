"""What a user has at hand: pictures to make and look at, a folder to list, the command as a process."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image


def photo(path, seed=0, size=(20, 16), **options):
    """Write a picture (size: width, height) and return its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return pixels


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def tree():
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def process(*args, input=None, **options):
    command = [sys.executable, "-m", "sakuga", *args]
    return subprocess.run(command, input=input, capture_output=True, timeout=60, **options)
