"""How many times faster than it plays is a film prepared: `sakuga prepare frames` at 1280x720.

    python benchmarks/frames.py [--video FILE] [--runs 3]

Without --video a film of 40 s is made: soft noise that pans, a cut every 4 s, H.264 at CRF 23. The command runs as a
user runs it, in a process of its own, whose start (printed by itself) is not counted: a film is long. The processor
time of all threads together tells what a busy machine would do if it were idle.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np
from PIL import Image

SECONDS, RATE, SCENE = 40, 24, 96


def make(path: Path) -> None:
    rng = np.random.default_rng(0)
    with av.open(path, "w") as writer:
        stream = writer.add_stream("libx264", rate=RATE, options={"crf": "23"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(SECONDS * RATE):
            if number % SCENE == 0:
                octaves = (rng.integers(0, 256, (side, side * 2, 3), dtype=np.uint8) for side in (4, 16, 64, 256))
                scaled = [Image.fromarray(o).resize((1536, 720), Image.Resampling.BICUBIC) for o in octaves]
                shares = np.array([8, 4, 2, 1]) / 15
                picture = sum(share * np.asarray(o, float) for share, o in zip(shares, scaled, strict=True))
                picture = picture.astype(np.uint8)
            left = 2 * (number % SCENE)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:, left : left + 1280]), format="rgb24")
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode())


def measure(*args: str | Path) -> np.ndarray:
    """Seconds by the clock, and of the processors, of one run."""
    begin = np.array([time.perf_counter(), *resource.getrusage(resource.RUSAGE_CHILDREN)[:2]])
    command = [sys.executable, "-m", "sakuga", "prepare", "frames", *map(str, args)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    spent = np.array([time.perf_counter(), *resource.getrusage(resource.RUSAGE_CHILDREN)[:2]]) - begin
    return np.array([spent[0], spent[1] + spent[2]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = args.video or Path(folder) / "film.mp4"
        if args.video is None:
            make(film)
        with av.open(str(film)) as reader:
            length = (reader.duration or 0) / av.time_base
            video = reader.streams.video[0]
            print(f"{film.name}: {length:.1f} s of {video.width}x{video.height}, {video.codec_context.name}")
        starts, totals = [], []
        for run in range(args.runs):
            out = Path(folder) / f"out{run}"
            totals.append(measure(film, "-o", out))
            starts.append(measure(film, "-o", out))  # done before: nothing but the start
        start = np.median(starts, axis=0)
        clock, processors = np.median(totals, axis=0) - start
        print(f"start of the command  {start[0]:.2f} s")
        print(f"the film              {clock:.2f} s: {length / clock:.1f} times real time")
        print(f"                      {processors:.2f} s of all processors: {length / processors:.1f} times on one")


if __name__ == "__main__":
    main()
