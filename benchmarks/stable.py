"""What `--stable` gains and costs: warping error, sharpness and nearness to the painted frames, and time, off and on.

    python benchmarks/stable.py --clips bikes.mp4 carphone.mp4 [--pictures examples/*.jpg] [--styles hosoda ...]

For each style and each scene (a pan over each picture, whose motion is exactly known, and each clip, whose motion is
estimated; `sakuga.metrics.flicker`): warping error x 1000 of the painted frames and of the stabilised ones; mean
gradient of the stabilised ones as a share of the painted ones', because a blur lowers the error too; mean L1 between
the two, in 0..1. `photo` is the error of the clip itself: what the estimate of the motion and its grain come to.

Then the time a frame of 1280x720 takes, in milliseconds of one core (CPU time, one thread), painted and stabilised.
`--sheet` writes consecutive frames off, on and what changed since the frame before, four times amplified.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image

from sakuga.evaluation.clip import read_clip
from sakuga.metrics.flicker import Motion, Paint, pan, pan_error
from sakuga.stylizer import Stylizer
from sakuga.video.stabilisation import Stabilizer

Frames = list[np.ndarray]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def sharpness(frames: Frames) -> float:
    return float(np.mean([np.hypot(*np.gradient(frame @ LUMA)).mean() for frame in frames]))


def replay(frames: Frames) -> Paint:
    turn = iter(frames)
    return lambda _: next(turn)


def core_milliseconds(painter: Stylizer, picture: Image.Image) -> tuple[float, float]:
    large = np.asarray(picture.resize((1360, 760), Image.Resampling.BICUBIC))
    window = [np.ascontiguousarray(large[3 * t : 3 * t + 720, 7 * t : 7 * t + 1280]) for t in range(8)]
    stabilizer, times = Stabilizer(), []
    for frame in window:
        begin = time.process_time()
        painted = painter.array(frame)
        between = time.process_time()
        stabilizer(frame, painted)
        times.append((between - begin, time.process_time() - between))
    paint, stable = 1000 * np.median(times[2:], axis=0)
    return float(paint), float(stable)


def save_sheet(path: Path, painted: Frames, stable: Frames) -> None:
    def changed(frames: Frames, t: int) -> np.ndarray:
        return np.clip(128 + 4 * (frames[t].astype(int) - frames[t - 1]), 0, 255).astype(np.uint8)

    shown = range(len(painted) - 3, len(painted))
    rows = [[painted[t], stable[t], changed(painted, t), changed(stable, t)] for t in shown]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate([np.concatenate(row, axis=1) for row in rows])).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, nargs="*", default=sorted(Path("examples").glob("*.jpg")))
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    parser.add_argument("--styles", nargs="+", default=["hosoda", "cel", "comic"])
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--side", type=int, default=272, help="shorter side of clips and pans, in pixels")
    parser.add_argument("--sheet", type=Path, help="folder for pictures of consecutive frames")
    args = parser.parse_args()

    scenes: list[tuple[str, Frames, Motion | None]] = []
    for path in args.pictures:
        picture = np.asarray(Image.open(path).convert("RGB"))
        scenes.append((f"pan {path.stem}", pan(picture, size=args.side, frames=args.frames), None))
    for path in args.clips:
        clip = read_clip(path, frames=args.frames, side=args.side)
        scenes.append((path.stem, clip, Motion(clip)))

    print(f"{'style':<14}{'scene':<20}{'photo':>8}{'off':>8}{'on':>8}{'lower by':>10}{'sharpness':>11}{'L1':>8}")
    for name in args.styles:
        painter = Stylizer(name, threads=1)
        for scene, frames, motion in scenes:
            stabilizer, painted = Stabilizer(), [painter.array(frame) for frame in frames]
            stable = [stabilizer(*pair) for pair in zip(frames, painted, strict=True)]
            if motion is None:
                photo, off, on = 0.0, *(pan_error(replay(made), frames) for made in (painted, stable))
            else:
                photo, off, on = (motion.error(made) for made in (frames, painted, stable))
            sharp = sharpness(stable[1:]) / sharpness(painted[1:])
            near = np.mean(
                [np.abs(a.astype(int) - b).mean() / 255 for a, b in zip(stable[1:], painted[1:], strict=True)]
            )
            figures = f"{1000 * photo:8.3f}{1000 * off:8.3f}{1000 * on:8.3f}{1 - on / off:10.0%}"
            print(f"{Path(name).stem:<14}{scene:<20}{figures}{sharp:11.3f}{near:8.4f}", flush=True)
            if args.sheet:
                save_sheet(args.sheet / f"{Path(name).stem} {scene}.png", painted, stable)
    for name in args.styles:
        paint, stable = core_milliseconds(Stylizer(name, threads=1), Image.open(args.pictures[0]).convert("RGB"))
        times = f"painted in {paint:.0f} core-ms, stabilised in {stable:.0f}: {1 + stable / paint:.2f}x"
        print(f"{Path(name).stem:<14}1280x720: {times}")


if __name__ == "__main__":
    main()
