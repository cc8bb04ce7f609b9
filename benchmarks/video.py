"""Frames a second of `sakuga` on a video, end to end, and what each part costs: decode, convert, paint, encode.

    python benchmarks/video.py [-s STYLE] [--video FILE] [--codec h264] [--runs 3] [--stable]

Without --video a clip is made: 1280x720, 24 frames a second, 10 s, with sound; the camera pans over the photos in
examples/. End to end the command runs as a user runs it, in a process of its own, its start included; with --stable
it runs without it, too, in turns. The parts are measured one after another in one process, in milliseconds of one core
a frame (processor time of all threads). Memory is the most that was resident; it is measured for the clip and for its
first half.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from sakuga.stylizer import Stylizer
from sakuga.video import VideoOptions
from sakuga.video.encoder import Encoder, ToFrame
from sakuga.video.source import FileSource
from sakuga.video.timed_frames import TimedFrame

SIZE, RATE, SECONDS, SOUND = (1280, 720), 24, 10, 48_000
EXAMPLES = Path(__file__).parents[1] / "examples"


def make(path: Path) -> Path:
    """Pan 3 pixels a frame over each photo in turn, with a soft tone."""
    photos = [Image.open(each).convert("RGB") for each in sorted(EXAMPLES.glob("*.jpg"))]
    each = -(-SECONDS * RATE // len(photos))
    width, height = SIZE[0] + 3 * each, SIZE[1]
    wide = []
    for photo in photos:
        scale = max(width / photo.width, height / photo.height)
        photo = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.LANCZOS)
        top = (photo.height - height) // 2
        wide.append(np.asarray(photo.crop((0, top, width, top + height))))
    with av.open(str(path), "w") as writer:
        stream = writer.add_stream("libx264", rate=RATE, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        track = writer.add_stream("aac", rate=SOUND)
        for i in range(SECONDS * RATE):
            left = 3 * (i % each)
            rgb = np.ascontiguousarray(wide[i // each][:, left : left + SIZE[0]])
            writer.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        writer.mux(stream.encode())
        for begin in range(0, SECONDS * SOUND, 1024):
            wave = (np.sin(np.arange(begin, begin + 1024) * 2 * np.pi * 440 / SOUND) * 0.1).astype(np.float32)
            tone = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
            tone.sample_rate, tone.time_base, tone.pts = SOUND, Fraction(1, SOUND), begin
            writer.mux(track.encode(tone))
        writer.mux(track.encode())
    return path


def run(source: Path, target: Path, style: str, *flags: str) -> tuple[float, float, float]:
    """Seconds by the clock, of the processors, and MiB resident at most, of one command."""
    command = [sys.executable, "-m", "sakuga", str(source), "-s", style, "-o", str(target), "--overwrite", *flags]
    code = (
        "import resource, subprocess, sys; s = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
        "u = resource.getrusage(resource.RUSAGE_CHILDREN); print(s, u.ru_utime + u.ru_stime, u.ru_maxrss)"
    )
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    status, used, peak = done.stdout.split()
    if status != "0":
        raise SystemExit(done.stderr)
    return seconds, float(used), float(peak) / 1024


class Clock:
    """Processor time of the process in milliseconds, by what was done."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    def __call__(self, what: str, work: Callable[..., Any], *args: Any) -> Any:
        before = resource.getrusage(resource.RUSAGE_SELF)
        result = work(*args)
        after = resource.getrusage(resource.RUSAGE_SELF)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.spent[what] = self.spent.get(what, 0) + 1000 * used
        return result


def parts(source: Path, style: str, options: VideoOptions, count: int) -> dict[str, float]:
    """What each part of the work costs a frame, in milliseconds of one core."""
    clock, stylizer = Clock(), Stylizer(style, threads=1)  # as many as paint a frame of a video
    file = FileSource(source, max_side=None, options=VideoOptions(), warn=print)
    codec = options.codec_for(Path("a.mkv"))

    def decode() -> list[Any]:
        with av.open(str(source)) as reader:
            reader.streams.video[0].thread_type = "AUTO"
            return [frame for frame, _ in zip(reader.decode(video=0), range(count), strict=False)]

    clock("decode", decode)
    photos: list[Any] = []
    clock("decode, to RGB", lambda: photos.extend(frame for frame, _ in zip(file.frames(), range(count), strict=False)))
    clock.spent["to RGB"] = clock.spent.pop("decode, to RGB") - clock.spent["decode"]
    stylizer.array(photos[0].image)  # opens the network
    painted = [TimedFrame(clock("paint", stylizer.array, frame.image), frame.pts, frame.duration) for frame in photos]
    if options.stable:
        from sakuga.video.stabilisation import Stabilizer

        steady = Stabilizer()
        for frame, photo in zip(painted, photos, strict=True):
            clock("steady", steady, photo.image, frame.image)
    to_frame = ToFrame(file.info, "yuv420p")
    frames = [clock("to YUV", to_frame, frame) for frame in painted]
    encoder = Encoder(file.info, codec, options.crf)

    def encode() -> None:
        for frame in frames:
            encoder._context.encode(frame)
        encoder._context.encode(None)

    clock("encode", encode)
    return {what: spent / len(photos) for what, spent in clock.spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--style", default="hosoda")
    parser.add_argument("--video", type=Path)
    parser.add_argument("--codec", default="h264")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--frames", type=int, default=96, help="frames by which the parts are measured")
    parser.add_argument("--stable", action="store_true")
    args = parser.parse_args()
    options = VideoOptions(codec=args.codec, stable=args.stable)
    flags = ["--codec", args.codec, *(["--stable"] if args.stable else [])]
    with tempfile.TemporaryDirectory() as folder:
        source = args.video or make(Path(folder, "clip.mp4"))
        with av.open(str(source)) as reader:
            video = reader.streams.video[0]
            count, size = sum(1 for _ in reader.decode(video)), (video.width, video.height)
            length = count / float(video.average_rate or RATE)
        runs, plain = [], []
        for _ in range(args.runs):  # in turns: a noisy hour is noisy for both
            runs.append(run(source, Path(folder, "out.mkv"), args.style, *flags))
            if args.stable:
                plain.append(run(source, Path(folder, "out.mkv"), args.style, "--codec", args.codec))
        half = run(source, Path(folder, "half.mkv"), args.style, *flags, "--duration", f"{length / 2:.3f}")
        spent = parts(source, args.style, options, args.frames)
    machine = f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}"
    print(
        f"{source.name}: {count} frames of {size[0]}x{size[1]}, style {Path(args.style).stem}, {args.codec}; {machine}"
    )
    seconds = statistics.median(each[0] for each in runs)
    used = statistics.median(each[1] for each in runs)
    about = f"median of {len(runs)}: {seconds:.1f} s, {1000 * used / count:.1f} core-ms a frame"
    print(f"  end to end   {count / seconds:7.1f} frames/s   ({about})")
    if plain:
        without = statistics.median(each[0] for each in plain)
        print(f"  without --stable {count / without:3.1f} frames/s, so it takes {seconds / without:.2f} times as long")
    for what, milliseconds in spent.items():
        print(f"  {what:12} {milliseconds:7.1f} core-ms a frame")
    beside = sum(value for what, value in spent.items() if what not in ("paint", "steady"))
    print(f"  all but paint{beside:7.1f} core-ms a frame")
    print(f"  memory       {max(each[2] for each in runs):7.0f} MiB, of the first half {half[2]:.0f} MiB")


if __name__ == "__main__":
    main()
