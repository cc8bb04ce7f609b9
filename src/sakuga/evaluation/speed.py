"""Seconds per megapixel, by the path that users run."""

import time

import numpy as np

from sakuga.stylizer import Stylizer

SIZE = (720, 1280)
RUNS = 3


def seconds_per_megapixel(stylizer: Stylizer) -> float:
    """Median of RUNS after one to warm up, of a 1280x720 picture of noise, pixels in and pixels out."""
    picture = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    times = []
    for _ in range(RUNS + 1):
        begin = time.perf_counter()
        stylizer.array(picture)
        times.append(time.perf_counter() - begin)
    return float(np.median(times[1:])) / (SIZE[0] * SIZE[1]) * 1e6
