"""How long a person waits: `sakuga photo.jpg` from a cold process, `import sakuga`, and frames a second at 1280x720.

    python benchmarks/start.py [--style shinkai] [--runs 7]

Medians of whole processes for the first two. The third is the network alone in ONNX Runtime, in turn with CartoonGAN's
published architecture (random weights, which cost the same) in the same run; the ratio is what to quote.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from sakuga.style import DEFAULT, load


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
    print(f"sakuga photo.jpg (512x512, cold process)  {cold:.2f} s")
    print(f"import sakuga (above an empty python)     {imported - nothing:.3f} s")

    frame = np.random.default_rng(0).random((1, 3, 720, 1280), dtype=np.float32) * 2 - 1
    session = load(args.style).session()
    ours, theirs = [], []
    peer = cartoongan_session()
    for _ in range(3):
        ours.append(median_seconds(lambda: session.run(None, {"image": frame}), 3))
        if peer is not None:
            theirs.append(median_seconds(lambda: peer.run(None, {"image": frame}), 1))
    print(f"{args.style} at 1280x720                   {1 / np.median(ours):.1f} frames a second")
    if theirs:
        print(f"CartoonGAN's architecture                 {1 / np.median(theirs):.2f} frames a second")
        print(f"ratio                                     {np.median(theirs) / np.median(ours):.0f}x")


def cartoongan_session() -> onnxruntime.InferenceSession | None:
    try:
        from sakuga.export import trace
        from sakuga.networks.cartoongan import CartoonGANGenerator
    except ImportError:
        return None
    model = trace(CartoonGANGenerator().eval()).SerializeToString()
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    main()
