"""How fast edges are smoothed on one core, beside the loop over edge pixels as it is commonly written.

    OMP_NUM_THREADS=1 python benchmarks/edges.py [FOLDER ...] [--rounds 5]

Pictures of the folders, or drawn ones without any, are scaled to 256×256. Both sides find edges by
`sakuga.data.derived.edges.canny`, as the official code does by OpenCV's compiled one, and must give the same pixels
before the clock starts. `files` is all that `sakuga prepare edges` does: read, scale, smooth, write PNG. Seconds are
those that this process computes on its one core, so that other programs do not count.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from sakuga.data.derived.edges import canny, smooth_edges
from sakuga.data.images import find_images, load_image
from sakuga.prepare.edges import _smooth

KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def loop(picture: np.ndarray) -> np.ndarray:
    """Blur pixel by pixel where the dilated edges are."""
    edges = np.pad(canny(np.asarray(Image.fromarray(picture).convert("L"))), 2)
    height, width = picture.shape[:2]
    near = np.zeros((height, width), bool)
    for i in range(5):
        for j in range(5):
            near |= edges[i : i + height, j : j + width]
    mirrored = np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    smoothed = picture.copy()
    for y, x in zip(*np.nonzero(near), strict=True):
        for channel in range(3):
            blurred = np.sum(KERNEL * mirrored[y : y + 5, x : x + 5, channel])
            smoothed[y, x, channel] = np.floor(blurred + 0.5)
    return smoothed


def drawn(count: int) -> list[np.ndarray]:
    """Pictures of 16 × 16 even areas with a little grain."""
    rng = np.random.default_rng(0)
    areas = np.kron(rng.integers(0, 256, (count, 16, 16, 3)), np.ones((1, 16, 16, 1)))
    return list((areas + rng.integers(-4, 5, areas.shape)).clip(0, 255).astype(np.uint8))


def rate(function: Callable[[np.ndarray], object], pictures: list[np.ndarray]) -> float:
    start = time.process_time()
    for picture in pictures:
        function(picture)
    return len(pictures) / (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    paths = find_images(args.folders)[:: max(1, len(find_images(args.folders)) // 32)][:32] if args.folders else []
    pictures = [np.asarray(Image.fromarray(load_image(p)).resize((256, 256))) for p in paths] or drawn(32)
    assert all((loop(p) == smooth_edges(p)).all() for p in pictures[:4]), "the two sides differ"
    ours, theirs, files = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        sources = [Path(folder) / f"{i}.png" for i in range(len(pictures))]
        for source, picture in zip(sources, pictures, strict=True):
            Image.fromarray(picture).save(source)
        for _ in range(args.rounds + 1):
            ours.append(rate(smooth_edges, pictures))
            theirs.append(rate(loop, pictures[::8]))
            start = time.process_time()
            for source in sources:
                _smooth(256, source, Path(folder) / f"smooth {source.stem}")
            files.append(len(sources) / (time.process_time() - start))
    shares = [float((smooth_edges(p) != p).any(2).mean()) for p in pictures]
    print(f"{len(pictures)} pictures, 256×256, {np.mean(shares):.0%} of the pixels blurred; {platform.processor()}")
    print(f"  sakuga   {statistics.median(ours[1:]):8.1f} pictures/s")
    print(f"  files    {statistics.median(files[1:]):8.1f} pictures/s")
    print(f"  loop     {statistics.median(theirs[1:]):8.1f} pictures/s")
    print(f"  ratio    {statistics.median(o / t for o, t in zip(ours[1:], theirs[1:], strict=True)):8.1f} ×")


if __name__ == "__main__":
    main()
