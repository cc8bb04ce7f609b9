"""Does a killed training go on as if nothing had happened? `kill -9` at random moments, each run finished and compared.

    python benchmarks/kills.py [--kills 20] [--steps 60] [--save-every 3] [--seed 0] [--keep DIR]

A small CycleGAN, with its image pools filled, learns from pictures of noise: once without a break, then once for every
kill. A run is started, killed at a moment of its training (the first within the first twentieth of what the whole took,
the second within the second ..., so kills meet steps, saves and samples), its checkpoint is read, and the very same
command finishes the run. All that the last checkpoint holds, weights, average, optimisers, pools, chance and
configuration, must then equal the uninterrupted one's bit for bit. One line per kill; ends with 1 if any run differs.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from losses import machine
from PIL import Image

from sakuga import runs
from sakuga.systems import config as toml

SIZES = ["--width", "8", "--blocks", "1", "--crop", "32", "--load", "40", "--batch", "2", "--pool", "8"]


def make_pictures(folder: Path) -> None:
    """Areas of any colour, with grain in the photos."""
    rng = np.random.default_rng(0)
    for side, grain in (("photos", 20), ("style", 0)):
        (folder / side).mkdir()
        for i in range(8):
            areas = np.kron(rng.integers(0, 256, (6, 6, 3)), np.ones((8, 8, 1)))
            picture = areas + rng.integers(-grain, grain + 1, areas.shape)
            Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / side / f"{i}.png")


def start(folder: Path, run: str, options: list[str]) -> subprocess.Popen:
    """Start a training and wait until it begins, or ends at once."""
    command = [sys.executable, "-m", "sakuga", "train", "cyclegan", "--run", str(folder / run), *SIZES, *options]
    command += ["--photos", str(folder / "photos"), "--style", str(folder / "style"), "--accelerator", "cpu"]
    with (folder / f"{run}.log").open("a") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log)
    while child.poll() is None and not (folder / run / toml.NAME).exists():
        time.sleep(0.01)
    return child


def finish(folder: Path, run: str, options: list[str]) -> dict[str, Any]:
    if start(folder, run, options).wait():
        sys.exit(f"{run} did not end well:\n{(folder / f'{run}.log').read_text()[-2000:]}")
    return runs.load(folder / run)


def kill(folder: Path, run: str, options: list[str], share: float, whole: float) -> float:
    """Kill a training after this share of the seconds that the whole takes; return when that was."""
    child, began = start(folder, run, options), time.monotonic()
    try:
        child.wait(share * whole)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return share * whole
    shutil.rmtree(folder / run)  # it was faster today
    return kill(folder, run, options, share, time.monotonic() - began)


def difference(a: Any, b: Any, at: str = "") -> str:
    """Where two checkpoints differ first; '' if nowhere."""
    if isinstance(a, torch.Tensor):
        same = isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
        return "" if same else at
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return f"{at}: keys"
        return next((found for k in a if (found := difference(a[k], b[k], f"{at}/{k}"))), "")
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        if len(a) != len(b):
            return f"{at}: length"
        return next(
            (found for i, (v, w) in enumerate(zip(a, b, strict=True)) if (found := difference(v, w, f"{at}/{i}"))), ""
        )
    return "" if a == b else at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--save-every", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--keep", type=Path, help="work in this folder, which must be empty or new, and leave it")
    args = parser.parse_args()
    options = ["--steps", str(args.steps), "--save-every", str(args.save_every)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        sys.exit(0 if compare(folder, args.kills, args.steps, options, args.seed) else 1)


def compare(folder: Path, kills: int, steps: int, options: list[str], seed: int) -> bool:
    make_pictures(folder)
    child, began = start(folder, "through", options), time.monotonic()
    child.wait()
    whole = time.monotonic() - began
    wanted = finish(folder, "through", options)
    print(f"{machine()}\ncyclegan, {steps} steps without a break: {whole:.1f} s\n")
    print(f"{'kill':>4}{'after s':>9}{'found at step':>15}{'half a file':>13}   the finished run")
    chance, equal = np.random.default_rng(seed), 0
    for i in range(kills):
        run = f"{i:02}"
        after = kill(folder, run, options, (i + chance.random()) / kills, whole)
        # A checkpoint that is there must be whole: load() refuses anything else.
        found = str(runs.load(folder / run)["steps"]) if (folder / run / runs.LAST).exists() else "none yet"
        torn = "yes" if [*(folder / run).glob("*.tmp")] else "no"
        differs = difference(wanted, finish(folder, run, options))
        equal += not differs
        print(f"{i + 1:>4}{after:>9.1f}{found:>15}{torn:>13}   {differs or 'equal, bit for bit'}", flush=True)
    print(f"\n{equal} of {kills} runs equal the uninterrupted one")
    return equal == kills


if __name__ == "__main__":
    main()
