"""What must not be seen in a style: skin of another tone, the network's squares.

    python benchmarks/faults.py --portraits FOLDER [--styles NAME_OR_FILE ...] [--precision fp32 int8]
        [--quality fast|best]

Skin: portraits whose face fills the middle (AutoToon's crops; those that no style was trained on: every fifth). The
face is an ellipse, blurred by a sigma of 6 pixels; medians of CIELAB lightness, hue and chroma over it, before and
after, in three groups by the photo's lightness. Grid: what repeats with the period of the squares, 4 pixels, on flat
fields of 27 colours and on ramps in four directions: the largest difference between the means of the 16 places in a
square, in levels of 255, after a symmetric moving mean over one period is taken away.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage import color

import sakuga
from sakuga.data.images import find_images, load_image
from sakuga.style import names

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


def grid(before: np.ndarray, after: np.ndarray) -> float:
    """Largest difference between places of a square in what a style changed, in levels."""
    change = after.astype(float) - before
    kernel = np.array([0.5, 1, 1, 1, 0.5]) / PERIOD
    change -= ndimage.correlate1d(ndimage.correlate1d(change, kernel, axis=0), kernel, axis=1)
    change = change[64:-64, 64:-64]
    places = [[change[i::PERIOD, j::PERIOD].mean((0, 1)) for j in range(PERIOD)] for i in range(PERIOD)]
    return float(np.ptp(np.array(places), axis=(0, 1)).max())


def fields() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Flat pictures and ramps, (256, 256, 3) uint8 each."""
    flat = [np.full((256, 256, 3), rgb, np.uint8) for rgb in product((40, 128, 215), repeat=3)]
    y, x = np.mgrid[:256, :256] / 256
    tint = np.array([1.0, 0.9, 0.75])
    ramps = [(30 + 190 * r[..., None] * tint).round().astype(np.uint8) for r in (x, y, (x + y) / 2, (x + 1 - y) / 2)]
    return flat, ramps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--styles", nargs="*", default=sorted(names()))
    parser.add_argument("--precision", nargs="*", default=["fp32", "int8"])
    parser.add_argument("--quality", choices=("fast", "best"), default="fast", help="of the pictures")
    args = parser.parse_args()

    portraits = [load_image(path) for path in find_images([args.portraits])]
    faces = np.array([skin(portrait) for portrait in portraits])
    groups = {name: (low <= faces[:, 0]) & (faces[:, 0] < high) for name, low, high in GROUPS}
    print(f"{len(portraits)} portraits: {', '.join(f'{members.sum()} {name}' for name, members in groups.items())}")
    print("                          dL / dh / dC, medians of the group (largest |dL|)             grid flat   ramps")
    flat, ramps = fields()
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
        found = [max(grid(field, stylizer.array(field)) for field in kind) for kind in (flat, ramps)]
        print(f"{Path(name).stem:<14}{precision:<6}{' | '.join(cells)}   {found[0]:7.2f} {found[1]:7.2f}", flush=True)


if __name__ == "__main__":
    main()
