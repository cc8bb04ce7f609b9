"""The real pictures: what is trained on, what is kept back, and a style domain with one look."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sakuga.data.images import find_images, load_image
from sakuga.data.teachers import load_teacher
from sakuga.runtime.atomic import atomic

SIDE = 192
"""Shorter side of all pictures but super-resolution's: strokes stay visible, and minutes suffice."""
PAINTER = "hayao"
"""The published CartoonGAN generator whose pictures are the style: of the four, the one most unlike photographs and
most like itself (mean Gram distance 0.48 to photographs, 0.04 between two sets of its own pictures)."""
PHOTOS, STYLE, KEPT = 100, 84, 16

Array = np.ndarray


@dataclass(frozen=True)
class Data:
    """Files for training, arrays for judging; no photograph is in two of the four parts."""

    photos: tuple[Path, ...]
    full: tuple[Path, ...]
    """The same in their own size, for super-resolution."""
    style: tuple[Path, ...]
    """Painted from photographs that are not among `photos`."""
    kept_photos: list[Array]
    kept_style: list[Array]
    kept_painted: list[Array]
    """The painter's own pictures of `kept_photos`: what its figures are, nothing trains on them; pix2pix's targets."""
    large: list[Array]
    """Kodak's photographs, for super-resolution."""
    paintings: tuple[Path, ...]
    """Never trained on."""
    art: tuple[Path, ...]
    """Drawings, portraits and the painter's pictures: AdaIN's many styles."""
    pairs: Path
    """Folders `photo` and `painted` of equal names; only pix2pix sees the training photos painted."""
    painter: Callable[[Array], Array]


def prepare(data: Path, work: Path) -> Data:
    """Divide the photographs of `data` and paint the style's pictures into `work`, those that are not there yet."""
    files = find_images([data / "photos", data / "autotoon" / "photo"])
    files = [files[i] for i in np.random.default_rng(0).permutation(len(files))]
    photos, rest = files[:PHOTOS], files[PHOTOS:]
    sources, rest = rest[: STYLE + KEPT], rest[STYLE + KEPT :]
    # Fixed statistics: as published the painter's tones depend on the picture as a whole, which no crop shows.
    painter, _ = load_teacher(str(data / "teachers" / PAINTER), [_small(path) for path in sources], freeze=16)
    painted = _painted(sources, painter, work / "painted")
    own = _painted(rest[:KEPT], painter, work / "kept_painted")
    targets = _painted(photos, painter, work / "pairs" / "painted")
    small = _painted(photos, lambda photo: photo, work / "pairs" / "photo")
    return Data(
        photos=tuple(small),
        full=tuple(photos),
        style=tuple(painted[:STYLE]),
        kept_photos=[_small(path) for path in rest[:KEPT]],
        kept_style=[load_image(path) for path in painted[STYLE:]],
        kept_painted=[load_image(path) for path in own],
        large=[load_image(path) for path in find_images([data / "kodak"])[::3]],
        paintings=tuple(find_images([data / "paintings"])),
        art=(*find_images([data / "wesnoth", data / "anime"]), *painted[:STYLE]),
        pairs=targets[0].parents[1],
        painter=painter,
    )


def _small(path: Path) -> Array:
    return load_image(path, short_side=SIDE)


def _painted(files: Sequence[Path], painter: Callable[[Array], Array], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    targets = [folder / f"{path.parent.name}-{path.stem}.png" for path in files]
    for path, target in zip(files, targets, strict=True):
        if not target.exists():
            with atomic(target, overwrite=True) as temporary:
                Image.fromarray(painter(_small(path))).save(temporary, format="PNG", compress_level=1)
    return targets
