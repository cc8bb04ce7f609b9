"""Frames stylized one by one, made to hold still: each takes over what the one before showed of the same things."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakuga.picture.arrays import BT601
from sakuga.video.motion import Floats, box, estimate, sample

Pixels = NDArray[np.uint8]

KEEP = 0.6  # how much of a pixel comes from the frame before where the photos agree
TOLERANCE = 15.0  # difference of the photos (RMS, of 255) at which that has fallen to a third
UNLIKE = 0.1  # agreement below which nothing at all is kept
CUT = 0.35  # mean agreement of the photos below which the scene is another; on film cuts have < 0.2, fast pans > 0.5
SIDE = 256  # frames are compared reduced to about this side
REDUCTION = 5  # but by no more than this: motion is found to a tenth of a reduced pixel
MOST = 2.0  # times the difference from a blur that sharpening may add
FINE_BITS = 4
FINE = 1 << FINE_BITS  # motion is rounded to this part of a pixel
ROWS = 48  # blended at a time


class Stabilizer:
    """Blends each stylized frame with the motion-compensated result before it; call it in the order of the frames.

        O_t(p) = P_t(p) + a(p) (H(p) - P_t(p)),   H(p) = O_{t-1}(p + w(p)) clipped to P_t's 3x3 pixels around p,
        a(p) = KEEP exp(-|I_t(p) - I_{t-1}(p + w(p))|² / TOLERANCE²)

    P the stylized frames, I the photos, w the motion between them (`sakuga.video.motion`). What moves in a way that
    w does not explain, or is new, has a = 0 and stays as stylized. Averaging softens, so the result is sharpened, in
    proportion to a, until its mean gradient is the stylized frame's, and clipped again: no value lies outside what the
    frame's own stylization has beside it, so nothing of the past shines through and edges get no halos. H is the blend
    before sharpening.

    Sources: Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018 (the weight); Karis, "High-Quality
    Temporal Supersampling", SIGGRAPH courses 2014 (the clipping).
    """

    def __init__(self) -> None:
        self._photo: Floats | None = None
        self._stylized: Pixels | None = None
        self._gain = 0.0

    def __call__(self, photo: Pixels, stylized: Pixels) -> Pixels:
        """Return `stylized` (s·H, s·W, 3), s whole, stabilised; `photo` (H, W, 3) is what it was stylized from.

        The first frame, the first after a cut and the first of another size are returned as they are.

        Raises:
            ValueError: the shapes do not belong together.
        """
        scale = stylized.shape[0] // photo.shape[0]
        if stylized.shape != (scale * photo.shape[0], scale * photo.shape[1], 3) or photo.shape[2:] != (3,):
            raise ValueError(f"stylized must be a whole multiple of {photo.shape}, not {stylized.shape}")
        factor = min(REDUCTION, max(1, round(max(photo.shape) / SIDE)))
        small = np.asarray(Image.fromarray(photo).reduce(factor)).transpose(2, 0, 1).astype(np.float32)
        planes = stylized.transpose(2, 0, 1).copy()
        before, self._photo, last, self._stylized = self._photo, small, self._stylized, planes
        if before is None or last is None or (before.shape, last.shape) != (small.shape, planes.shape):
            self._gain = 0.0
            return stylized
        motion, agreement = _compare(small, before)
        if agreement.mean() < CUT:
            self._gain = 0.0
            return stylized
        block = factor * scale
        self._stylized, low, high = _blend(planes, last, motion * block, agreement, block)
        result = _sharpen(self._stylized, low, high, agreement * (self._gain * KEEP), block)
        wanted, found = _detail(planes), _detail(result)
        self._gain = float(np.clip(self._gain + wanted / found - 1, 0, MOST)) if found else 0.0
        # NumPy takes six times as long to lay the planes together.
        return np.asarray(Image.merge("RGB", [Image.fromarray(plane) for plane in result]))

    def state(self) -> dict[str, Any]:
        """What the next frame depends on: arrays and a number; empty before the first frame."""
        if self._stylized is None:
            return {}
        return {"photo": self._photo, "stylized": self._stylized, "gain": self._gain}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where another Stabilizer was when it gave `state`."""
        self._photo, self._stylized = state.get("photo"), state.get("stylized")
        self._gain = float(state.get("gain", 0))


def _compare(now: Floats, before: Floats) -> tuple[Floats, Floats]:
    """Motion (2, h, w) between photos (3, h, w) and how far they agree then (h, w), 0 to 1."""
    luma = np.array(BT601, np.float32)
    motion = estimate(np.tensordot(luma, now, 1), np.tensordot(luma, before, 1))
    y, x = np.indices(now.shape[1:], dtype=np.float32) + motion
    difference = box(((now - sample(before, y, x)) ** 2).mean(axis=0), 1)
    agreement = np.exp(difference * np.float32(-1 / TOLERANCE**2))
    agreement[agreement < UNLIKE] = 0
    agreement[(y < 0) | (y > y.shape[0] - 1) | (x < 0) | (x > x.shape[1] - 1)] = 0  # it came into the frame
    return motion, agreement


def _blend(
    planes: Pixels, before: Pixels, motion: Floats, agreement: Floats, block: int
) -> tuple[Pixels, Pixels, Pixels]:
    """Blend (3, H, W) with the frame before; `motion` in pixels and `agreement` hold for squares of `block` pixels.

    Returns the blend and the smallest and greatest value of the 3x3 pixels around each in `planes`.
    """
    height, width = planes.shape[1:]
    offset, fraction = _offsets(motion, block, (height, width))
    keep = np.rint(agreement * (KEEP * 128)).astype(np.int16)
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)), mode="edge")
    flat = before.reshape(3, -1)
    result, low, high = (np.empty_like(planes) for _ in range(3))
    for part, blocks in _strips(height, block):
        here = padded[:, part.start : part.stop + 2]
        for extreme, found in ((np.minimum, low), (np.maximum, high)):
            rows = extreme(extreme(here[:, :-2], here[:, 1:-1]), here[:, 2:])
            extreme(extreme(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:], out=found[:, part])
        stylized = planes[:, part]
        size = stylized.shape[1:]
        history = _history(flat, part, offset[blocks], fraction[:, blocks], block, width)[:, : size[0]]
        carried = _clipped(history.astype(np.uint8), low[:, part], high[:, part])
        wide = stylized.astype(np.int16)  # mixed types would take twice as long
        change = carried.astype(np.int16)
        change -= wide
        change *= _spread(keep[blocks], block, size)
        change += 64
        change >>= 7
        change += wide
        result[:, part] = change
    return result, low, high


def _offsets(motion: Floats, block: int, shape: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.int16]]:
    """Whole part of the motion of each block as a step in the flat plane, and the rest (2, h, w) in 1/FINE pixels.

    A block that would leave the frame is kept in it: agreement is 0 there.
    """
    fine = np.empty(motion.shape, np.intp)
    for axis, side in enumerate(shape):
        first = np.arange(motion.shape[axis + 1]) * block
        last = np.minimum(first + block, side) - 1
        first, last = (np.expand_dims(edge, 1 - axis) for edge in (first, last))
        fine[axis] = np.clip(np.rint(motion[axis] * FINE), -first * FINE, (side - 1 - last) * FINE)
    whole = fine >> FINE_BITS
    return whole[0] * shape[1] + whole[1], (fine & (FINE - 1)).astype(np.int16)


def _history(
    flat: Pixels, part: slice, offset: NDArray[np.intp], fraction: NDArray[np.int16], block: int, width: int
) -> NDArray[np.int16]:
    """What the flat planes (3, H·W) of the frame before show, bilinear, at the rows `part` moved block by block.

    Returns (3, rows, W), with whole blocks: at the end of a frame there may be rows too many.
    """
    count = len(offset)
    down, right = (f.repeat(block, axis=1)[:, None, :width] for f in fraction)
    # One row more than a block has: each row is the lower neighbour of the one above it, too.
    rows = part.start + np.arange(count)[:, None] * block + np.arange(block + 1)
    columns = np.arange(width) + offset.repeat(block, axis=1)[:, :width]
    index = (rows * width)[:, :, None] + columns[:, None]
    # Past the end only for fractions of 0, for which the neighbour does not count, and for rows that are too many.
    across = flat.take(index, axis=1, mode="clip").astype(np.int16)
    index += 1
    across += _share(across, flat.take(index, axis=1, mode="clip").astype(np.int16), right)
    upper, lower = across[:, :, :-1], across[:, :, 1:]
    history: NDArray[np.int16] = (upper + _share(upper, lower.copy(), down)).reshape(3, count * block, width)
    return history


def _share(values: NDArray[np.int16], others: NDArray[np.int16], share: NDArray[np.int16]) -> NDArray[np.int16]:
    """`share` / FINE of the way from `values` to `others`, which is overwritten."""
    others -= values
    others *= share
    others += FINE // 2
    others >>= FINE_BITS
    return others


def _clipped(values: Pixels, low: Pixels, high: Pixels) -> Pixels:
    """Clip in place; np.clip takes ten times as long where the bounds are arrays."""
    return np.minimum(np.maximum(values, low, out=values), high, out=values)


def _sharpen(planes: Pixels, low: Pixels, high: Pixels, gain: Floats, block: int) -> Pixels:
    """Add `gain` (one value for each block) times the difference from a blur to (3, H, W)."""
    if not gain.any():
        return planes
    result = np.empty_like(planes)
    padded = np.pad(planes, ((0, 0), (2, 2), (2, 2)), mode="edge")
    times = np.rint(gain * 64).astype(np.int16)
    for part, blocks in _strips(planes.shape[1], block):
        blur = padded[:, part.start : part.stop + 4].astype(np.int16)
        # (1 2 2 2 1) / 8 in either direction: sums of two, of two of those, of two that are two apart.
        blur = blur[:, :-1] + blur[:, 1:]
        blur = blur[:, :-1] + blur[:, 1:]
        blur = blur[:, :-2] + blur[:, 2:]
        blur = blur[..., :-1] + blur[..., 1:]
        blur = blur[..., :-1] + blur[..., 1:]
        blur = blur[..., :-2] + blur[..., 2:]
        blur += 32
        blur >>= 6
        wide = planes[:, part].astype(np.int16)
        detail = np.subtract(wide, blur, out=blur)
        detail *= _spread(times[blocks], block, detail.shape[1:])
        detail += 32
        detail >>= 6
        detail += wide
        bright = np.clip(detail, 0, 255, out=detail).astype(np.uint8)
        result[:, part] = _clipped(bright, low[:, part], high[:, part])
    return result


def _strips(height: int, block: int) -> Iterator[tuple[slice, slice]]:
    """Some rows at a time, and the rows of blocks they are: what is computed of them stays in the processor's cache."""
    rows = max(1, ROWS // block)
    for first in range(0, -(-height // block), rows):
        yield slice(first * block, min((first + rows) * block, height)), slice(first, first + rows)


def _spread(values: NDArray, block: int, shape: tuple[int, ...]) -> NDArray:
    """Each value over its block of pixels."""
    return values.repeat(block, axis=0).repeat(block, axis=1)[: shape[0], : shape[1]]


def _detail(planes: Pixels) -> float:
    """Mean gradient to the right, of every eighth row."""
    part = planes[:, ::8].astype(np.int16)
    return float(np.abs(np.diff(part, axis=2)).mean()) if part.shape[2] > 1 else 0.0
