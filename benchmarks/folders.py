"""How near a folder run comes to the speed of the network alone: `sakuga FOLDER` on JPEGs of 1 megapixel.

    python benchmarks/folders.py [--pictures 200] [--jobs N] [--style hosoda] [--runs 3]

The pictures are cut from examples/*.jpg. Engine: the network alone on the same pictures, decoded beforehand, one after
the other with all cores. Folder: the command as a user runs it, less its start (a run in which everything is there
already), so reading, painting and writing. The two take turns. The processor seconds of all threads together tell what
a busy machine would do if it were idle: their ratio is what to quote there.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from sakuga.picture import read
from sakuga.style import DEFAULT
from sakuga.stylizer import Stylizer

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.jpg"))
SIZE = (1152, 864)


def make(folder: Path, count: int) -> list[Path]:
    rng = np.random.default_rng(0)
    photos = [Image.open(path).convert("RGB") for path in EXAMPLES]
    paths = []
    for number in range(count):
        photo = photos[number % len(photos)]
        height = int(0.8 * min(photo.height, photo.width * 3 / 4))
        width = height * 4 // 3
        left, top = rng.integers(photo.width - width + 1), rng.integers(photo.height - height + 1)
        crop = photo.crop((left, top, left + width, top + height)).resize(SIZE, Image.Resampling.LANCZOS)
        paths.append(folder / f"{number:03}.jpg")
        crop.save(paths[-1], quality=90)
    return paths


def spent(work: Callable[[], object]) -> np.ndarray:
    """Seconds by the clock, and of the processors, here and in children."""

    def now() -> np.ndarray:
        usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return np.array([time.perf_counter(), sum(usage.ru_utime + usage.ru_stime for usage in usages)])

    begin = now()
    work()
    return now() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--style", default=DEFAULT)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "in"
        folder.mkdir()
        paths = make(folder, args.pictures)
        decoded = [read(path).frames[0].rgb for path in paths]
        stylizer = Stylizer(args.style)
        command = [sys.executable, "-m", "sakuga", str(folder), "-o", f"{scratch}/out", "-s", args.style]
        command += ["--jobs", str(args.jobs)] if args.jobs else []

        def run(*options: str) -> None:
            subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        stylizer.array(decoded[0])
        run()
        start, engine, whole = [], [], []
        for _ in range(args.runs):
            engine.append(spent(lambda: [stylizer.array(rgb) for rgb in decoded]))
            whole.append(spent(lambda: run("--overwrite")))
            start.append(spent(run))
    alone = np.median(engine, axis=0)
    folders = np.median(whole, axis=0) - np.median(start, axis=0)
    megapixels = SIZE[0] * SIZE[1] / 1e6
    print(f"{args.pictures} JPEGs of {megapixels:.2f} megapixels, style {args.style}   clock    processors")
    for name, seconds in (("engine", alone), ("folder", folders)):
        clock, processors = 1000 * seconds / args.pictures
        print(f"{name}, ms a picture {'':27}{clock:8.1f} {processors:10.1f}")
    clock, processors = 100 * alone / folders
    print(f"share of the engine's speed {'':18}{clock:8.0f} % {processors:8.0f} %")


if __name__ == "__main__":
    main()
