"""A style's network on one piece of a picture, its result mixed with the photo, and less where memory runs out."""

from itertools import product
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from sakuga.errors import SakugaError
from sakuga.picture.arrays import BT601
from sakuga.picture.pixels import Array
from sakuga.runtime.memory import ran_out
from sakuga.style import Style
from sakuga.style.engine import Engine
from sakuga.stylizer.look import Look

Floats = NDArray[np.float32]

MIN_SIDE = 64
"""Networks that halve the picture several times and pad by reflection inside refuse smaller ones."""
LUMA = np.array(BT601, np.float32)[:, None, None]


def run_network(style: Style, engine: Engine, photo: Array) -> Array:
    """Give the network (3, H, W) in [-1, 1], or (H, W, 3) uint8 if the engine takes those."""
    sides = photo.shape[:2] if engine.whole else photo.shape[1:]
    size = f"{sides[1]}x{sides[0]}"
    try:
        result = engine.run(photo)
    except Exception as error:  # ONNX Runtime's errors have no common class of their own
        if ran_out(error):
            raise
        reason = str(error).partition("\n")[0]
        raise SakugaError(
            f"style {style.name} fails on {size} pixels ({reason}): reduce the picture (--max-side)"
        ) from error
    scaled = tuple(side * style.card.scale for side in sides)
    if result.shape != ((*scaled, 3) if engine.whole else (3, *scaled)):
        raise SakugaError(f"style {style.name} makes {result.shape} of {size} pixels: export it again")
    with np.errstate(over="ignore", invalid="ignore"):
        total = result.sum()  # which is cheap, and NaN spreads through it
    if not engine.whole and np.isnan(total):
        raise SakugaError(f"style {style.name} makes values that are no numbers: export it again")
    return result


def run_shifted(style: Style, engine: Engine, photo: Array) -> Array:
    """Return the mean of what the network makes of a piece, as `run_network`, in eight places on its grid of squares.

    A network with strides paints each pixel by its place in a square. Moves by half a square, down, across and both,
    take what repeats with the square out of the mean; a quarter more, what repeats in each half of it. The mean is also
    nearer to what was learned, as means of estimates are.
    """
    size, axes = style.card.multiple, (0, 1) if engine.whole else (1, 2)
    places = {(y + more, x + more) for y, x in product((0, size // 2), repeat=2) for more in (0, size // 4)}
    total: Array = np.zeros(photo.shape, np.uint16 if engine.whole else np.float32)
    for moves in sorted(places):
        room, kept = [(0, 0)] * 3, [slice(None)] * 3
        for axis, move in zip(axes, moves, strict=True):
            room[axis], kept[axis] = (move, move and size - move), slice(move, move + photo.shape[axis])
        np.add(total, run_network(style, engine, np.pad(photo, room, mode="reflect"))[tuple(kept)], out=total)
    count = len(places)
    return ((total + count // 2) // count).astype(np.uint8) if engine.whole else total / count


def less_room(style: Style, room: int, rgb: Array, error: Exception) -> int:
    """Half the side that was too much, for another attempt; SakugaError where there can be none."""
    card, size = style.card, f"{rgb.shape[1]}x{rgb.shape[0]}"
    if not (reach := card.reach):
        raise SakugaError(
            f"there is too little memory to run style {style.name}, which looks at the whole picture, on "
            f"{size} pixels: reduce it (--max-side), or export the style again, which may make tiles possible"
        ) from error
    room = min(room, rgb.shape[0] * rgb.shape[1])
    if isqrt(room) <= MIN_SIDE + reach:
        raise SakugaError(
            f"there is too little memory to run style {style.name} on {size} pixels, even in small tiles: "
            "close other programs or reduce the picture (--max-side)"
        ) from error
    return room // 4


def blend(photo: Floats, styled: Floats, look: Look) -> Floats:
    """Apply strength and colour to two (3, H, W), the photo in [-1, 1]; `styled` is overwritten."""
    np.clip(styled, -1, 1, out=styled)
    if look.keep_color:
        # Adding the difference of luma to every channel is what exchanging Y in YCbCr comes to.
        styled = photo + ((styled - photo) * LUMA).sum(axis=0)
        np.clip(styled, -1, 1, out=styled)
    if look.strength < 1:
        styled = photo + np.float32(look.strength) * (styled - photo)
    return styled
