"""`sakuga FOLDER --cluster` beside the plain run: the same bytes, what Ray costs, what workers bring, what kills do.

    python benchmarks/cluster.py [--only start overhead scaling memory kills] [--pictures 60] [--runs 3]

    start     Seconds of the command where all results exist (no Ray is begun), and of one small picture: what Ray and
              its workers take to begin and to end.
    overhead  JPEGs of 1 megapixel (those of folders.py), all cores: seconds of `--cluster` less those of one small
              picture, beside the plain run less its own. The two take turns; medians.
    scaling   Pictures a second of one worker and of two (`--jobs`), less the start.
    memory    Peak of the command's own process with 10³, 10⁴ ... pictures of 16 x 16 (--most).
    kills     --kills random processes at work killed (SIGKILL) in a run of --tiny small pictures: every result there
              once, equal to the plain run's bytes, and told once.

Needs the extra `cluster`; Linux. Ends with 1 where results differ from the plain run's.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from folders import make
from PIL import Image

from sakuga.style import DEFAULT

PARTS = ("start", "overhead", "scaling", "memory", "kills")


class Command:
    """The command on a folder of pictures, with a style."""

    def __init__(self, scratch: Path, style: str) -> None:
        self.scratch, self.style = scratch, style

    def begin(self, source: str, target: str, *options: str) -> subprocess.Popen:
        words = [sys.executable, "-m", "sakuga", source, "-o", target, "-s", self.style, *options]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        with (self.scratch / "out.txt").open("w") as out, (self.scratch / "err.txt").open("w") as err:
            return subprocess.Popen(words, cwd=self.scratch, env=environment, stdout=out, stderr=err)

    def seconds(self, source: str, target: str, *options: str) -> float:
        begun = time.perf_counter()
        if self.begin(source, target, *options).wait():
            sys.exit((self.scratch / "err.txt").read_text()[-2000:])
        return time.perf_counter() - begun


def small(folder: Path, count: int, side: int = 16) -> str:
    """Make small pictures, of which no two are alike; the folder's name."""
    folder.mkdir()
    for i in range(count):
        pixels = np.random.default_rng(i).integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:06}.png", compress_level=0)
    return folder.name


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def start(command: Command, runs: int) -> tuple[float, float]:
    """Seconds before and after the work: of the plain command, and with --cluster."""
    small(command.scratch / "one", 1)
    found: dict[str, list[float]] = {"plain": [], "cluster": [], "there": []}
    for _ in range(runs):
        found["plain"].append(command.seconds("one", "one-out", "--overwrite"))
        found["cluster"].append(command.seconds("one", "one-out", "--overwrite", "--cluster"))
        found["there"].append(command.seconds("one", "one-out", "--cluster"))
    plain, cluster, there = (median(found[name]) for name in ("plain", "cluster", "there"))
    print(f"start: one small picture {plain:.1f} s, with --cluster {cluster:.1f} s; all there already {there:.1f} s")
    return plain, cluster


def overhead(command: Command, runs: int, count: int, starts: tuple[float, float]) -> bool:
    plain, cluster = [], []
    for _ in range(runs):
        plain.append(command.seconds("photos", "plain", "--overwrite"))
        cluster.append(command.seconds("photos", "cluster", "--overwrite", "--cluster"))
    a, b = median(plain) - starts[0], median(cluster) - starts[1]
    print(
        f"overhead, {count} JPEGs of 1 megapixel: plain {count / a:.2f} pictures/s, --cluster {count / b:.2f}: ", end=""
    )
    print(f"{100 * (b / a - 1):+.0f} %")
    return alike(command.scratch / "plain", command.scratch / "cluster")


def scaling(command: Command, runs: int, count: int, start: float) -> bool:
    seconds: dict[str, list[float]] = {"1": [], "2": []}
    for _ in range(runs):
        for jobs, found in seconds.items():
            found.append(command.seconds("photos", f"jobs{jobs}", "--overwrite", "--cluster", "--jobs", jobs))
    one, two = (count / (median(found) - start) for found in seconds.values())
    print(f"scaling: one worker {one:.2f} pictures/s, two {two:.2f}: {two / one:.2f} times")
    return alike(command.scratch / "jobs1", command.scratch / "jobs2")


def memory(command: Command, most: int) -> bool:
    well, count = True, 1000
    while count <= most:
        source = small(command.scratch / f"tiny{count}", count)
        begun = time.perf_counter()
        process = command.begin(source, f"{source}-out", "--cluster")
        peak = 0
        while process.poll() is None:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            peak = max([peak, *(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))])
            time.sleep(0.2)
        seconds = time.perf_counter() - begun
        there = len([*(command.scratch / f"{source}-out").iterdir()])
        well &= process.returncode == 0 and there == count
        print(f"memory: {count} pictures, {there} results in {seconds:.0f} s: peak of the command {peak >> 10} MB")
        count *= 10
    return well


def kills(command: Command, count: int, wanted: int, seed: int) -> bool:
    source, rng = small(command.scratch / "many", count, 64), random.Random(seed)
    whole = command.seconds(source, "many-plain")
    print(f"kills: {count} pictures, plain {whole:.0f} s", end="", flush=True)
    target, killed = command.scratch / "many-cluster", 0
    process = command.begin(source, target.name, "--cluster")
    while process.poll() is None:
        time.sleep(0.05)
        there = len([*target.iterdir()]) if target.exists() else 0
        if killed == wanted or there < (killed + 0.5) * count / (wanted + 1):
            continue
        at_work = [one for one in psutil.Process(process.pid).children(recursive=True) if "MapWorker" in one.name()]
        if at_work:
            os.kill(rng.choice(at_work).pid, signal.SIGKILL)
            killed += 1
    told = [Path(line).name for line in (command.scratch / "out.txt").read_text().splitlines()]
    once = sorted(told) == sorted(path.name for path in target.iterdir())
    same = alike(command.scratch / "many-plain", target)
    last = (command.scratch / "err.txt").read_text().splitlines()[-1]
    print(f"; {killed} processes killed: {len(told)} results told, {'each once' if once else 'NOT each once'}; {last}")
    return process.returncode == 0 and killed == wanted and once and same


def alike(one: Path, two: Path) -> bool:
    same = contents(one) == contents(two)
    if not same:
        print(f"{two.name} DIFFERS from {one.name}")
    return same


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--style", default=DEFAULT)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--tiny", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{machine()}; style {options.style}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        command = Command(scratch, options.style)
        well, starts = [], (0.0, 0.0)
        if {"start", "overhead", "scaling"} & {*options.only}:
            starts = start(command, options.runs)
        if {"overhead", "scaling"} & {*options.only}:
            (scratch / "photos").mkdir()
            make(scratch / "photos", options.pictures)
        if "overhead" in options.only:
            well.append(overhead(command, options.runs, options.pictures, starts))
        if "scaling" in options.only:
            well.append(scaling(command, options.runs, options.pictures, starts[1]))
        if "memory" in options.only:
            well.append(memory(command, options.most))
        if "kills" in options.only:
            well.append(kills(command, options.tiny, options.kills, options.seed))
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
