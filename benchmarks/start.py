"""How long a person waits for a cold process: `sakuga photo.jpg`, `import sakuga`, `sakuga --help`.

    python benchmarks/start.py [--style hosoda] [--runs 7]

Medians of whole processes, the last two less what an empty Python takes. Pictures at both qualities, which take turns,
small and of 12 megapixels, in seconds and in processor seconds.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from sakuga.style import DEFAULT


def median_seconds(run, runs: int) -> float:  # type: ignore[no-untyped-def]
    times = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return float(np.median(times[1:]))  # the first fills the file cache


def both_qualities(photo: Path, style: str, runs: int) -> dict[str, np.ndarray]:
    """Median (seconds, processor seconds) of the command on a photo, by its quality."""
    taken: dict[str, list[tuple[float, float]]] = {"fast": [], "best": []}
    for _ in range(runs + 1):
        for quality, times in taken.items():
            command = [sys.executable, "-m", "sakuga", str(photo), "-s", style, "--quality", quality, "--overwrite"]
            before, begin = processor_seconds(), time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times.append((time.perf_counter() - begin, processor_seconds() - before))
    return {quality: np.median(times[1:], axis=0) for quality, times in taken.items()}


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--style", default=DEFAULT)
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        for size in ((512, 512), (4000, 3000)):
            Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(photo)
            found = both_qualities(photo, args.style, args.runs)
            for quality, (seconds, processor) in found.items():
                what = f"sakuga photo.jpg ({size[0]}x{size[1]}, cold process, {quality})"
                print(f"{what:<58}{seconds:.2f} s, {processor:.2f} of processors")
            print(f"  best / fast, processors: {found['best'][1] / found['fast'][1]:.2f}")
    nothing = median_seconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True), args.runs)
    imported = median_seconds(lambda: subprocess.run([sys.executable, "-c", "import sakuga"], check=True), args.runs)
    command = [sys.executable, "-m", "sakuga", "--help"]
    help = median_seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), args.runs)
    print(f"import sakuga (above an empty python)     {imported - nothing:.3f} s")
    print(f"sakuga --help (above an empty python)     {help - nothing:.3f} s")


if __name__ == "__main__":
    main()
