"""`sakuga FOLDER --cluster` beside the plain run: the same bytes, what Ray costs, what workers bring, what kills do.

    python benchmarks/cluster.py [--only start overhead scaling memory kills] [--pictures 120] [--runs 3]

    start     Seconds of the command where all results exist (no Ray is begun), and of one small picture: what Ray and
              its workers take to begin and to end.
    overhead  JPEGs of 1 megapixel (those of folders.py), all cores: pictures a second of `--cluster` beside the plain
              run's.
    scaling   The same of two workers (`--jobs 2`) beside one.
    memory    Peak of the command's own process with 10³, 10⁴ ... pictures of 16 x 16 (--most).
    kills     --kills random processes at work killed (SIGKILL) in a run of --tiny small pictures: every result there
              once, equal to the plain run's bytes, and told once.

Rates are those of the middle four fifths of the results: neither the start is in them nor the end, when a worker may
have nothing left. Beside them stand the processor seconds that a picture took meanwhile in all processes of the
command, Ray's too: where a machine is not idle, these are to be compared. What is compared takes turns; told are the
medians of the rounds, and of their ratios the least and the most too. Needs the extra `cluster`; Linux. Ends with 1
where results differ.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
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


def start(command: Command, runs: int) -> None:
    small(command.scratch / "one", 1)
    found: dict[str, list[float]] = {"plain": [], "cluster": [], "there": []}
    for _ in range(runs):
        found["plain"].append(command.seconds("one", "one-out", "--overwrite"))
        found["cluster"].append(command.seconds("one", "one-out", "--overwrite", "--cluster"))
        found["there"].append(command.seconds("one", "one-out", "--cluster"))
    plain, cluster, there = (median(found[name]) for name in ("plain", "cluster", "there"))
    print(f"start: one small picture {plain:.1f} s, with --cluster {cluster:.1f} s; all there already {there:.1f} s")


def note(process: psutil.Process, used: dict[int, float]) -> None:
    """Note the processor seconds of a process and of all below it; those that have ended stay."""
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                used[one.pid] = sum(one.cpu_times()[:2])


def pace(command: Command, target: Path, count: int, options: list[str]) -> tuple[float, float]:
    """Pictures a second of the middle four fifths, and processor seconds for one of them."""
    shutil.rmtree(target, ignore_errors=True)
    process, marks = command.begin("photos", target.name, *options), []
    root, used = psutil.Process(process.pid), dict[int, float]()
    while process.poll() is None:
        note(root, used)
        there = len([*target.glob("[!.]*")]) if target.exists() else 0
        if len(marks) < 2 and there >= count * (0.9 if marks else 0.1):
            marks.append((there, time.perf_counter(), sum(used.values())))
        time.sleep(0.1)
    if process.returncode or len(marks) < 2:
        sys.exit((command.scratch / "err.txt").read_text()[-2000:])
    pictures, seconds, processor = (last - first for first, last in zip(*marks, strict=True))
    return pictures / seconds, processor / pictures


def compare(command: Command, runs: int, count: int, name: str, ways: dict[str, list[str]]) -> bool:
    """Compare the second way with the first; whether both gave the same bytes."""
    paces: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    folders = {way: command.scratch / f"{name}-{way.replace(' ', '-')}" for way in ways}
    for _ in range(runs):
        for way, options in ways.items():
            paces[way].append(pace(command, folders[way], count, options))
            told = "{:.2f} pictures a second, {:.3f} processor seconds".format(*paces[way][-1])
            print(f"  {name}, {way}: {told} (load {os.getloadavg()[0]:.1f})", file=sys.stderr, flush=True)
    one, two = (np.array(found) for found in paces.values())
    for row, what in enumerate(("pictures a second", "processor seconds a picture")):
        ratios = two[:, row] / one[:, row]
        told = ", ".join(f"{way} {median(found[:, row]):.2f}" for way, found in zip(ways, (one, two), strict=True))
        print(
            f"{name}, {what}: {told}: {median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})", flush=True
        )
    return alike(*folders.values())


def memory(command: Command, most: int) -> bool:
    well, count = True, 1000
    while count <= most:
        source = small(command.scratch / f"tiny{count}", count)
        begun = time.perf_counter()
        process = command.begin(source, f"{source}-out", "--cluster")
        peaks = {"VmHWM": 0, "RssAnon": 0, "RssShmem": 0}
        while process.poll() is None:
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in peaks:
                    peaks[name] = max(peaks[name], int(value.split()[0]))
            time.sleep(0.2)
        seconds = time.perf_counter() - begun
        if process.returncode:
            sys.exit((command.scratch / "err.txt").read_text()[-2000:])
        there = len([*(command.scratch / f"{source}-out").iterdir()])
        well &= there == count
        whole, own, shared = (value >> 10 for value in peaks.values())
        print(
            f"memory: {count} pictures, {there} results in {seconds:.0f} s: peak of the command {whole} MB "
            f"(its own {own}, of Ray's store {shared})",
            flush=True,
        )
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
    parser.add_argument("--pictures", type=int, default=120)
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
        well = []
        if "start" in options.only:
            start(command, options.runs)
        if {"overhead", "scaling"} & {*options.only}:
            (scratch / "photos").mkdir()
            make(scratch / "photos", options.pictures)
        if "overhead" in options.only:
            well.append(
                compare(command, options.runs, options.pictures, "overhead", {"plain": [], "cluster": ["--cluster"]})
            )
        if "scaling" in options.only:
            ways = {f"{jobs} at once": ["--cluster", "--jobs", jobs] for jobs in "12"}
            well.append(compare(command, options.runs, options.pictures, "scaling", ways))
        if "memory" in options.only:
            well.append(memory(command, options.most))
        if "kills" in options.only:
            well.append(kills(command, options.tiny, options.kills, options.seed))
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
