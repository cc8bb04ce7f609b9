"""A picture of 7680x4320 with --brush 1 from file to file: memory, seams, and what a pixel costs against 1280x720.

    python benchmarks/size.py [--style hosoda] [--precision fp32] [--runs 3] [--photo FILE]

Prints the resident memory of a fresh process at its peak while it reads, stylises and writes a JPEG; the largest
difference between the picture in tiles and the same picture in one piece, which takes several gigabytes; and the
seconds per megapixel of the large and the small picture, in turn in one run: the ratio is what to quote. Other sizes
that are easily got wrong follow: 1x1, 3x5000 and 4097x13.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from sakuga.stylizer import Stylizer

LARGE, SMALL = (7680, 4320), (1280, 720)
PEAK = "import resource, sys; from sakuga.cli import main; code = main(sys.argv[1:]); "
PEAK += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"


def made() -> Image.Image:
    """Shapes of all sizes, and grain."""
    rng = np.random.default_rng(0)
    mixed = np.zeros((LARGE[1], LARGE[0], 3), np.float32)
    for side in (4, 16, 64, 256, 1024, 4320):
        octave = Image.fromarray(rng.integers(0, 256, (side, side * 16 // 9, 3), dtype=np.uint8))
        mixed += np.asarray(octave.resize(LARGE, Image.Resampling.BICUBIC), np.float32) / 6
    return Image.fromarray(mixed.astype(np.uint8))


def given_at_once(pixels: int, painter: Stylizer, photo: np.ndarray) -> np.ndarray:
    with mock.patch.multiple("sakuga.stylizer.painter", MAX_TILE_PIXELS=pixels, available=lambda: 2**60):
        return painter.array(photo).astype(np.int16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--style", default="hosoda")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--photo", type=Path, help="is enlarged to 7680x4320; by default one is made")
    args = parser.parse_args()
    image = Image.open(args.photo).convert("RGB").resize(LARGE, Image.Resampling.BICUBIC) if args.photo else made()
    photo = np.asarray(image)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "large.jpg", Path(folder) / "result.jpg"
        image.save(source, quality=92)
        command = [
            sys.executable,
            "-c",
            PEAK,
            source,
            "-s",
            args.style,
            "-o",
            target,
            "--precision",
            args.precision,
            "--brush",
            1,
        ]
        done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
        assert Image.open(target).size == LARGE
    peak = int(done.stderr.split()[-1]) * (1 if sys.platform == "darwin" else 1024)
    print(f"resident at the peak, JPEG to JPEG of 7680x4320  {peak / 2**20:.0f} MiB")

    painter = Stylizer(args.style, precision=args.precision, brush=1)
    small = np.ascontiguousarray(photo[: SMALL[1], : SMALL[0]])
    seconds: dict[str, list[float]] = {"large": [], "small": []}
    painter.array(small)
    for _ in range(args.runs):
        for name, picture, times in (("large", photo, 1), ("small", small, 10)):
            begin = time.perf_counter(), time.process_time()
            for _ in range(times):
                painter.array(picture)
            spent = time.process_time() - begin[1], time.perf_counter() - begin[0]
            megapixels = times * picture.shape[0] * picture.shape[1] / 1e6
            seconds[name].append(spent[0] / megapixels)
            print(f"  {name}: {spent[1] / megapixels * 1e3:.1f} ms/MP, {spent[0] / megapixels * 1e3:.1f} of all cores")
    ratios = np.array(seconds["large"]) / np.array(seconds["small"])
    print(f"{painter.engine.precision}, processor time per pixel, 7680x4320 : 1280x720  {np.median(ratios):.3f}")

    difference = np.abs(painter.array(photo).astype(np.int16) - given_at_once(photo.size, painter, photo))
    print(f"tiled against whole, largest difference  {difference.max()} of 255")
    for width, height in ((1, 1), (3, 5000), (4097, 13)):
        part = np.ascontiguousarray(photo[:height, :width] if height < 5000 else photo[:width, :height].swapaxes(0, 1))
        tiled, whole = (given_at_once(pixels, painter, part) for pixels in (256**2, photo.size))
        assert tiled.shape == (height, width, 3)
        print(f"{width}x{height}, in tiles of 256 against whole  {np.abs(tiled - whole).max()} of 255")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"resident of this process at the peak, with the whole in one piece  {peak >> 10} MiB")


if __name__ == "__main__":
    main()
