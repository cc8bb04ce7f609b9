"""Memory and time of `sakuga evaluate`: FID of 2 x 1,000 pictures is to stay within 2 GiB resident.

    python benchmarks/evaluate.py [--count 1000] [--style hayao] [--features vgg16] [--size 256] [--photos DIR]

Without --photos the pictures are made (960x540, areas and noise); with it those of the folder are repeated. Every
measure is taken, not FID alone. Printed while it runs: the most memory resident so far.
"""

import argparse
import os
import resource
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from sakuga.data.images import find_images
from sakuga.evaluation.evaluate import Options, evaluate
from sakuga.style import load


def fill(folder: Path, count: int, seed: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for i in range(count):
        small = Image.fromarray(rng.integers(0, 256, (9, 16, 3), dtype=np.uint8))
        areas = np.asarray(small.resize((960, 540), Image.Resampling.BICUBIC)).astype(np.int16)
        noisy = (areas + rng.integers(-8, 9, areas.shape, dtype=np.int16)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{i:05}.jpg", quality=85)
    return folder


def repeat(folder: Path, source: Path, count: int, shift: int) -> Path:
    folder.mkdir()
    paths = find_images([source])
    for i in range(count):
        path = paths[(i + shift) % len(paths)].resolve()
        os.symlink(path, folder / f"{i:05}{path.suffix}")
    return folder


def peak() -> float:
    """GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--style", default="hayao")
    parser.add_argument("--features", default="vgg16")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--photos", type=Path)
    args = parser.parse_args()
    begin, done = time.monotonic(), threading.Event()

    def watch() -> None:
        while not done.wait(60):
            print(f"  {time.monotonic() - begin:6.0f} s, at most {peak():.2f} GiB", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        photos, style_images = Path(folder, "photos"), Path(folder, "style")
        for place, number in ((photos, 0), (style_images, 1)):
            if args.photos:
                repeat(place, args.photos, args.count, number)
            else:
                fill(place, args.count, number)
        begin = time.monotonic()
        threading.Thread(target=watch, daemon=True).start()
        options = Options((photos,), (style_images,), size=args.size, count=args.count, features=args.features)
        found = evaluate({args.style: load(args.style)}, options)
        done.set()
    seconds = time.monotonic() - begin
    fid = found.styles[args.style][f"FID{found.set_name}"]
    machine = found.settings["machine"]
    print(f"2 x {args.count} pictures, {args.size}x{args.size}, {machine['processor']}, {machine['cores']} cores, "
          f"torch with {found.settings['torch_threads']} threads")  # fmt: skip
    print(f"FID{found.set_name} {fid:.2f}; {seconds:.0f} s; at most {peak():.2f} GiB resident (limit 2)")
    raise SystemExit(peak() > 2)


if __name__ == "__main__":
    main()
