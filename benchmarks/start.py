"""How long a person waits for a cold process: `sakuga photo.jpg`, `import sakuga`, `sakuga --help`.

    python benchmarks/start.py [--style hosoda] [--runs 7]

Medians of whole processes, the last two less what an empty Python takes.
"""

import argparse
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--style", default=DEFAULT)
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((512, 512), Image.Resampling.BICUBIC).save(photo)
        command = [sys.executable, "-m", "sakuga", str(photo), "-s", args.style, "--overwrite"]
        cold = median_seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), args.runs)
    nothing = median_seconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True), args.runs)
    imported = median_seconds(lambda: subprocess.run([sys.executable, "-c", "import sakuga"], check=True), args.runs)
    command = [sys.executable, "-m", "sakuga", "--help"]
    help = median_seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), args.runs)
    print(f"sakuga photo.jpg (512x512, cold process)  {cold:.2f} s")
    print(f"import sakuga (above an empty python)     {imported - nothing:.3f} s")
    print(f"sakuga --help (above an empty python)     {help - nothing:.3f} s")


if __name__ == "__main__":
    main()
