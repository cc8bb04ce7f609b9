"""`sakuga prepare crop`: squares out of pictures."""

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from sakuga.data.images import load_image
from sakuga.errors import SakugaError, UsageError
from sakuga.faces.find import Face, faces_beside
from sakuga.prepare.face_finding import BOXES, require_faces
from sakuga.prepare.files import find, save
from sakuga.prepare.letterbox import bars
from sakuga.prepare.manifest import Row
from sakuga.prepare.options import Flag, Function, Inputs, Number, Output
from sakuga.prepare.runner import describe, work
from sakuga.runtime.plugin import load_function

Detector = Callable[[np.ndarray], Sequence[Sequence[float]]]
"""(H, W, 3) uint8 RGB to boxes (x0, y0, x1, y1) in pixels, (K, 4); none is an empty list."""


class Square(NamedTuple):
    """A place in a picture."""

    left: int
    top: int
    side: int

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """Cut it out of (H, W, 3)."""
        return picture[self.top : self.top + self.side, self.left : self.left + self.side]


def crop(
    inputs: Inputs,
    /,
    *,
    output: Output,
    mode: Literal["center", "random", "faces"] = "center",
    size: Number = None,
    enlarge: Flag = False,
    count: int = 4,
    seed: int = 0,
    faces: Function = None,
    margin: float = 0.4,
    letterbox: Flag = False,
    format: Literal["png", "jpg"] = "png",
    workers: Number = None,
    overwrite: Flag = False,
) -> int:
    """Cut pictures to squares.

    Args:
        inputs: folders of pictures.
        output: folder of the squares, with the tree of the input below it.
        mode: center, the largest square in the middle; random, squares of at least half the shorter side anywhere;
            faces, a square around every face, of which a file of landmarks beside the picture tells one.
        size: reduce squares to this side; smaller ones are left out.
        enlarge: enlarge smaller ones instead.
        count: random squares of each picture.
        seed: of the random squares; the same picture gives the same ones under any name.
        faces: in place of the detector that `sakuga download faces` fetches, a function of an installed module or of
            a file in the current folder. It takes a picture, an array (H, W, 3) uint8 RGB, and returns the faces' boxes
            as (x0, y0, x1, y1) in pixels.
        margin: what is added to a face's box at each side, as a share of its longer side.
        letterbox: cut off black bars first.
        format: of the results; jpg has quality 95.
        workers: processes; by default one for each core.
        overwrite: make again what is there.
    """
    if (size is not None and size < 1) or count < 1 or seed < 0 or margin < 0:
        raise UsageError("--size and --count must be at least 1, --seed and --margin at least 0")
    if enlarge and size is None:
        raise UsageError("--enlarge needs a --size")
    if faces is not None and mode != "faces":
        raise UsageError("--faces names what finds faces for --mode faces: name both, or leave out --faces")
    files = find(inputs, output)
    options: dict[str, object] = {"mode": mode, "size": size, "enlarge": enlarge, "letterbox": letterbox}
    place: Callable[..., list[Square]] = center
    if mode == "random":
        place = partial(scattered, count=count, seed=seed, least=size or 1)
        options |= {"count": count, "seed": seed}
    elif mode == "faces":
        if faces:
            load_function(faces, "--faces")
        else:
            require_faces(files, "--faces MODULE:FUNCTION")
        place = partial(around_faces, detector=faces or BOXES, margin=margin)
        options |= {"faces": faces, "margin": margin}
    function = partial(_crop, place, mode == "faces", size, enlarge, letterbox, format)
    recipe = describe("crop", **options, format=format)
    return work(files, function, output, recipe=recipe, workers=workers, overwrite=overwrite)


def center(picture: np.ndarray) -> list[Square]:
    """The largest square in the middle of (H, W, 3)."""
    height, width = picture.shape[:2]
    side = min(height, width)
    return [Square((width - side) // 2, (height - side) // 2, side)]


def scattered(picture: np.ndarray, *, count: int, seed: int, least: int) -> list[Square]:
    """`count` squares anywhere in (H, W, 3), of sides from max(`least`, half the shorter one) to the shorter one."""
    height, width = picture.shape[:2]
    rng = np.random.default_rng([seed, zlib.crc32(picture.tobytes())])
    most = min(height, width)
    sides = rng.integers(min(most, max(least, (most + 1) // 2)), most, size=count, endpoint=True)
    return [
        Square(int(rng.integers(width - side, endpoint=True)), int(rng.integers(height - side, endpoint=True)), side)
        for side in sides.tolist()
    ]


def around_faces(picture: np.ndarray, *, detector: str, margin: float, beside: Sequence[Face] = ()) -> list[Square]:
    """A square around the middle of every box the detector finds in (H, W, 3), moved into the picture where it must.

    Faces that are known, from a file `beside` the picture, need not be found.
    Its side is the box's longer one times 1 + 2 `margin`, but no more than the picture has.
    """
    height, width = picture.shape[:2]
    found: Detector = load_function(detector, "--faces")
    try:
        boxes = np.asarray([face.box for face in beside] or found(picture), float)
        boxes = boxes.reshape(-1, 4) if not boxes.size else boxes
    except (TypeError, ValueError) as error:
        raise SakugaError(f"--faces {detector} failed or did not return boxes (x0, y0, x1, y1): {error}") from error
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise SakugaError(f"--faces {detector} returned an array {boxes.shape}, not finite boxes (K, 4)")
    squares = []
    for x0, y0, x1, y1 in boxes.clip(0, [width, height, width, height]):
        longer = max(x1 - x0, y1 - y0)
        side = min(round(longer * (1 + 2 * margin)), height, width)
        if x1 > x0 and y1 > y0 and side:
            left, top = ((a + b - side) / 2 for a, b in ((x0, x1), (y0, y1)))
            squares.append(Square(round(min(max(left, 0), width - side)), round(min(max(top, 0), height - side)), side))
    return squares


def _crop(
    place: Callable[..., list[Square]],
    faces: bool,
    size: int | None,
    enlarge: bool,
    letterbox: bool,
    format: str,
    source: Path,
    target: Path,
) -> list[Row]:
    picture = load_image(source)
    height, width = picture.shape[:2]
    known = {"beside": faces_beside(source, (width, height))} if faces else {}
    if letterbox:
        shown = bars(np.asarray(Image.fromarray(picture).convert("L")))
        picture = shown.cut(picture)
        known = {name: [Face(face.points - [shown.left, shown.top]) for face in those] for name, those in known.items()}
    try:
        squares = place(picture, **known)
    except SakugaError as error:
        raise SakugaError(f"{source}: {error}") from error
    rows = []
    for index, square in enumerate(squares):
        name = f"{target.name}.{format}" if place is center else f"{target.name}-{index}.{format}"
        result = target.with_name(name)
        if size is not None and square.side < size and not enlarge:
            rows.append(Row(str(result), "no", f"smaller than {size} pixels ({square.side})"))
            continue
        pixels = square.cut(picture)
        if size is not None and square.side != size:
            pixels = np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS))
        save(pixels, result)
        rows.append(Row(str(result)))
    return rows or [Row("", "no", "no face")]
