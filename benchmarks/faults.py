"""What must not be seen in a style: skin of another tone, the network's squares.

    python benchmarks/faults.py --portraits FOLDER [--styles NAME_OR_FILE ...] [--precision fp32 int8]
        [--quality fast|best]

Skin: portraits whose face fills the middle (AutoToon's crops; those that no style was trained on: every fifth). The
face is an ellipse, blurred by a sigma of 6 pixels; medians of CIELAB lightness, hue and chroma over it, before and
after, in three groups by the photo's lightness. Grid: what repeats with the period of the squares, 4 pixels, on flat
fields of 27 colours and on ramps in four directions: the largest difference between the means of the 16 places in a
square, in levels of 255, after a symmetric moving mean over one period is taken away. One ramp shows how 8 bits round,
too, which the first row tells of a plain gain. So the last column is of the mean of 16 ramps, each a quarter of a level
lighter than the one before: what is left there repeats with the squares whatever the rounding.
"""

import argparse
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage import color

import sakuga
from sakuga.data.images import find_images, load_image

GROUPS = (("dark", 0, 48), ("medium", 48, 60), ("light", 60, 101))
"""By the median L* of the face in the photo."""
PERIOD = 4


def skin(picture: np.ndarray) -> np.ndarray:
    """Median lightness, hue in degrees and chroma of the face, (3,)."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width]
    face = ((x / width - 0.5) / 0.2) ** 2 + ((y / height - 0.55) / 0.26) ** 2 < 1
    lab = color.rgb2lab(ndimage.gaussian_filter(picture.astype(float), (6, 6, 0)) / 255)[face]
    light, a, b = np.median(lab, axis=0)
    return np.array([light, np.degrees(np.arctan2(b, a)), np.hypot(a, b)])


def grid(change: np.ndarray) -> float:
    """Largest difference between places of a square in what a style changed, in levels."""
    kernel = np.array([0.5, 1, 1, 1, 0.5]) / PERIOD
    change = change - ndimage.correlate1d(ndimage.correlate1d(change, kernel, axis=0), kernel, axis=1)
    change = change[64:-64, 64:-64]
    places = [[change[i::PERIOD, j::PERIOD].mean((0, 1)) for j in range(PERIOD)] for i in range(PERIOD)]
    return float(np.ptp(np.array(places), axis=(0, 1)).max())


def fields() -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """Flat pictures and, in four directions, 16 ramps, each lighter than the one before; (256, 256, 3) uint8 each."""
    flat = [np.full((256, 256, 3), rgb, np.uint8) for rgb in product((40, 128, 215), repeat=3)]
    y, x = np.mgrid[:256, :256] / 256
    tint = np.array([1.0, 0.9, 0.75])
    shades = [190 * r[..., None] * tint for r in (x, y, (x + y) / 2, (x + 1 - y) / 2)]
    return flat, [[(30 + step / 4 + shade).round().astype(np.uint8) for step in range(16)] for shade in shades]


def squares(paint: Callable[[np.ndarray], np.ndarray]) -> str:
    """Grid on flat fields, on one ramp, on the mean of 16."""
    flat, ramps = fields()
    even = [paint(field).astype(float) - field for field in flat]
    uneven = [[paint(ramp).astype(float) - ramp for ramp in direction] for direction in ramps]
    kinds = even, [first for first, *_ in uneven], [np.mean(direction, axis=0) for direction in uneven]
    return " ".join(f"{max(map(grid, kind)):7.2f}" for kind in kinds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portraits", type=Path, required=True)
    painters = [style.name for style in sakuga.styles() if style.embedded and not style.card.frame]
    parser.add_argument("--styles", nargs="*", default=painters, help="names or files; by default all that paint")
    parser.add_argument("--precision", nargs="*", default=["fp32", "int8"])
    parser.add_argument("--quality", choices=("fast", "best"), default="fast", help="of the pictures")
    args = parser.parse_args()

    portraits = [load_image(path) for path in find_images([args.portraits])]
    faces = np.array([skin(portrait) for portrait in portraits])
    groups = {name: (low <= faces[:, 0]) & (faces[:, 0] < high) for name, low, high in GROUPS}
    print(f"{len(portraits)} portraits: {', '.join(f'{members.sum()} {name}' for name, members in groups.items())}")
    print(f"{'':26}{'dL / dh / dC, medians of the group (largest |dL|)':<63}grid flat    ramp   of 16")
    print(f"{'a gain of 0.9, rounded':<95}{squares(lambda rgb: np.rint(rgb * 0.9 + 12.8))}")
    for name, precision in product(args.styles, args.precision):
        stylizer = sakuga.Stylizer(
            name if not Path(name).is_file() else Path(name), precision=precision, quality=args.quality
        )
        moved = np.array([skin(stylizer.array(portrait)) for portrait in portraits]) - faces
        moved[:, 1] = (moved[:, 1] + 180) % 360 - 180
        cells = []
        for members in groups.values():
            light, hue, chroma = np.median(moved[members], axis=0)
            cells.append(f"{light:+5.1f} {hue:+5.1f} {chroma:+5.1f} ({np.abs(moved[members, 0]).max():4.1f})")
        print(f"{Path(name).stem:<14}{precision:<6}{' | '.join(cells)}   {squares(stylizer.array)}", flush=True)


if __name__ == "__main__":
    main()
