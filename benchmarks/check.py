"""How long `sakuga prepare check` takes for 10,000 pictures.

    python benchmarks/check.py [FOLDER] [--count 10000] [--workers 2]

The pictures of FOLDER, or 32 drawn JPEGs of 1280×720 without it, are copied under other names, with a number behind
their end so that no two files are equal, until there are enough: three quarters photos, a quarter style. Prints seconds
by the clock, and those that this process and its workers computed: on a machine that does nothing else the clock shows
a little more than half of these.
"""

import argparse
import contextlib
import io
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from sakuga.data.images import find_images
from sakuga.prepare.check import check


def drawn(folder: Path) -> list[Path]:
    """JPEGs of soft areas with a little grain."""
    rng = np.random.default_rng(0)
    for i in range(32):
        areas = Image.fromarray(rng.integers(0, 256, (9, 16, 3), dtype=np.uint8))
        soft = np.asarray(areas.resize((1280, 720), Image.Resampling.BICUBIC)).astype(int)
        grain = rng.integers(-3, 4, soft.shape)
        Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8)).save(folder / f"{i}.jpg", quality=85)
    return find_images([folder])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for name in ("drawn", "photos", "style"):
            (root / name).mkdir()
        sources = find_images([args.folder]) if args.folder else drawn(root / "drawn")
        for i in range(args.count):
            source = sources[i % len(sources)]
            target = root / ("photos" if i % 4 else "style") / f"{i}{source.suffix}"
            target.write_bytes(source.read_bytes() + str(i).encode())
        size = sum(path.stat().st_size for path in sources) / len(sources)
        told = io.StringIO()
        start, before = time.perf_counter(), sum(os.times()[:4])
        with contextlib.redirect_stdout(told):
            check(
                photos=(root / "photos",),
                style=(root / "style",),
                system="cartoongan",
                sheet=root / "sheet.png",
                workers=args.workers,
            )
        seconds, computed = time.perf_counter() - start, sum(os.times()[:4]) - before
    assert "--photos  " in told.getvalue()
    print(
        f"{args.count} pictures of {size / 1e3:.0f} kB, {args.workers} processes: {seconds:.1f} s "
        f"({computed:.1f} s computed), {args.count / seconds:.0f} pictures/s"
    )


if __name__ == "__main__":
    main()
