"""Large pictures with `--brush auto` against `--brush 1`: what they cost, how they look reduced, how sharp lines are.

    python benchmarks/brush.py [--style hosoda] [--precision auto] [--runs 3] [--photo FILE]

The photo (by default one is made) is brought to 4000x3000 and 7680x4320. Seconds of `Stylizer.array`, of the processor
and the clock, come in turns in one run: the ratio is what to quote. Of 4000x3000 follow a whole run from JPEG to JPEG,
with its memory,
and the mean difference, in levels of 255, between the result reduced to 1200x900 and the stylised photo of 1200x900.
Then a dark disc on light ground is stylised, and its outline looked at along 360 radii: how many pixels it takes to
come from 10 to 90 % of the way between the ground and the darkest of the line, and by how many levels the ground
outside is left upward. Bicubic is the small result enlarged without the photo.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from size import made

from sakuga.stylizer import Stylizer

BRUSHES = ("auto", 1.0)
SIZES = ((4000, 3000), (7680, 4320))
REDUCED = (1200, 900)


def resized(rgb: np.ndarray, size: tuple[int, int], how: Image.Resampling = Image.Resampling.LANCZOS) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).resize(size, how))


def bicubic(stylizer: Stylizer, photo: np.ndarray) -> np.ndarray:
    height, width = photo.shape[:2]
    by = (height * width / stylizer.style.card.best_pixels) ** 0.5
    small = resized(photo, (round(width / by), round(height / by)))
    return resized(stylizer.array(small), (width, height), Image.Resampling.BICUBIC)


def outline(stylized: np.ndarray) -> tuple[float, float]:
    """Width of the disc's outline in pixels and the ground's overshoot beside it in levels, medians of 360 radii."""
    luma = stylized @ np.array([0.299, 0.587, 0.114])
    angles, radii = np.deg2rad(np.arange(360))[:, None], np.arange(RADIUS - 60, RADIUS + 60)
    rows, columns = (np.rint(1500 + radii * f(angles)).astype(int) for f in (np.sin, np.cos))
    profiles = luma[rows, columns + 500]
    ground = np.median(profiles[:, -20:], axis=1)
    widths = []
    for profile, light in zip(profiles, ground, strict=True):
        darkest = int(profile.argmin()) if profile.min() < profile[:20].mean() - 10 else 20
        way = (light - profile[darkest:]) / (light - profile[darkest])
        widths.append(int((way > 0.1).argmin()) - int((way > 0.9).argmin()))
    return float(np.median(widths)), float(np.median(profiles[:, 60:].max(1) - ground))


RADIUS = 1000


def disc() -> np.ndarray:
    """4000x3000, its edge as soft as a good lens makes it."""
    y, x = np.mgrid[:3000, :4000]
    inside = np.clip(RADIUS + 1 - np.hypot(y - 1500, x - 2000), 0, 2) / 2
    gray = 190 - 110 * inside + np.random.default_rng(0).normal(0, 2, inside.shape)
    return np.rint(gray).astype(np.uint8)[..., None].repeat(3, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--style", default="hosoda")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--photo", type=Path)
    args = parser.parse_args()
    image = Image.open(args.photo).convert("RGB") if args.photo else made()
    stylizers = {brush: Stylizer(args.style, brush=brush, precision=args.precision) for brush in BRUSHES}
    precision = stylizers["auto"].engine.precision
    print(f"{args.style}, {precision}")
    for size in SIZES:
        photo = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
        spent: dict[object, list[tuple[float, float]]] = {brush: [] for brush in BRUSHES}
        for _ in range(args.runs):
            for brush, stylizer in stylizers.items():
                begin = time.process_time(), time.perf_counter()
                stylizer.array(photo)
                spent[brush].append((time.process_time() - begin[0], time.perf_counter() - begin[1]))
        auto, every = (np.median(spent[brush], axis=0) for brush in BRUSHES)
        text = f"processor {every[0]:.2f} -> {auto[0]:.2f} s ({every[0] / auto[0]:.1f}x)"
        print(f"{size[0]}x{size[1]}  {text}, clock {every[1]:.2f} -> {auto[1]:.2f} s ({every[1] / auto[1]:.1f}x)")

    photo = np.asarray(image.resize(SIZES[0], Image.Resampling.LANCZOS))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "photo.jpg"
        Image.fromarray(photo).save(source, quality=92)
        for brush in reversed(BRUSHES):
            command = [sys.executable, "-m", "sakuga", source, "-s", args.style, "--precision", args.precision]
            command += ["--brush", str(brush), "-o", Path(folder) / "result.jpg", "--overwrite"]
            code = "import os, sys; p = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ); u = os.wait4(p, 0)[2];"
            code += "print(u.ru_maxrss)"
            begin = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", code, *map(str, command)], check=True, capture_output=True, text=True
            )
            peak = int(done.stdout.split()[-1]) * (1 if sys.platform == "darwin" else 1024) / 2**20
            print(f"JPEG to JPEG, --brush {brush}  {time.perf_counter() - begin:.2f} s, {peak:.0f} MiB")

    target = stylizers[1.0].array(resized(photo, REDUCED)).astype(float)
    shape = disc()
    ways = {f"--brush {brush}": stylizer.array for brush, stylizer in stylizers.items()}
    ways["bicubic"] = lambda rgb: bicubic(stylizers[1.0], rgb)
    for name, stylize in ways.items():
        difference = np.abs(resized(stylize(photo), REDUCED) - target).mean()
        width, halo = outline(stylize(shape))
        print(f"{name:<13} differs by {difference:.2f}; outline {width:.0f} px, {halo:+.1f} levels beside it")
    print(f"the photo itself differs by {np.abs(resized(photo, REDUCED) - target).mean():.2f}")


if __name__ == "__main__":
    main()
