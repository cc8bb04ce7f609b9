"""Where each point of a frame was in the frame before: the camera's motion, and what moves besides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LEVELS = 6  # of the pyramid: motion up to some 2^5 pixels of the reduced frame is found
SMALLEST = 16  # a level with a side below this is the last
FINEST = 1  # level: more pixels than that change nothing
LOCAL = 4  # levels on which local motion is sought: the coarser ones mix what moves differently
OUTLIER = 8.0  # a brightness difference (of 255) from which on a pixel hardly counts for the camera
DAMPING = 10.0  # squared gradient (of 255 a pixel) below which a window hardly moves: there is nothing to see
RADIUS = 3  # of the windows
STEP = 1.5  # the furthest a window moves at once, in pixels of its level: beyond, a linear model tells nothing


def estimate(now: Floats, before: Floats) -> Floats:
    """Return the motion (2, H, W), down and right, in pixels: now(p) shows what before(p + w(p)) showed.

    `now`, `before`: luma (H, W) in [0, 255] of consecutive frames. Frames with a side below 8 stand still.

    First the motion of the camera, affine in p (pan, tilt, zoom, roll), by Gauss-Newton on Σ ρ(before(p + w) - now(p))
    with a ρ that forgets what moves by itself; coarse to fine, and where phase correlation finds another shift, once
    more from there, for fine textures, which coarse levels do not show: what fits better is taken. Then, on small
    windows, what is left; it counts where it explains the window clearly better than the camera does.

    Sources: Lucas, Kanade, "An Iterative Image Registration Technique", IJCAI 1981 (both steps); Odobez, Bouthemy,
    "Robust Multiresolution Estimation of Parametric Motion Models", JVCIR 1995 (ρ); Kuglin, Hines, "The Phase
    Correlation Image Alignment Method", ICCS 1975.
    """
    if min(now.shape) < 8:
        return np.zeros((2, *now.shape), np.float32)
    frames = list(zip(_pyramid(now), _pyramid(before), strict=True))
    finest = min(FINEST, len(frames) - 1)
    shift = np.zeros((2, 3))
    shift[:, 0] = _shift(*frames[finest]) * 2**finest
    camera, error = _camera(frames, finest, np.zeros((2, 3)))
    if np.abs(camera - shift)[:, 0].max() > 2**finest:
        other, its_error = _camera(frames[: finest + 2], finest, shift)
        camera = other if its_error < error else camera
    own = np.zeros((2, *frames[min(LOCAL, len(frames)) - 1][0].shape), np.float32)
    for level in range(min(LOCAL, len(frames)) - 1, finest - 1, -1):
        a, b = frames[level]
        own = _local(a, b, _affine(camera / 2**level, a.shape), _fitted(own, a.shape))
    return _affine(camera, now.shape) + _fitted(own, now.shape)


def sample(planes: Floats | NDArray[np.uint8], y: Floats, x: Floats) -> Floats:
    """Planes (..., H, W) at rows y and columns x (h, w), bilinear, the border continued: (..., h, w)."""
    height, width = planes.shape[-2:]
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    top = np.minimum(y.astype(np.intp), max(height - 2, 0))
    left = np.minimum(x.astype(np.intp), max(width - 2, 0))
    y -= top
    x -= left
    flat = planes.reshape(*planes.shape[:-2], height * width)
    index, right, below = top * width + left, min(1, width - 1), width * min(1, height - 1)

    def row(index: NDArray[np.intp]) -> Floats:
        here = flat.take(index, axis=-1).astype(np.float32)
        there = flat.take(index + right, axis=-1)
        found: Floats = here + (there - here) * x
        return found

    upper = row(index)
    lower = row(index + below)
    lower -= upper
    lower *= y
    upper += lower
    return upper


def box(plane: Floats, radius: int) -> Floats:
    """Mean over squares of 2 · radius + 1 pixels, the border continued."""
    height, width = plane.shape
    side = 2 * radius + 1
    padded = np.pad(plane, radius, mode="edge")
    rows = padded[:height].copy()
    for i in range(1, side):
        rows += padded[i : i + height]
    mean = rows[:, :width].copy()
    for i in range(1, side):
        mean += rows[:, i : i + width]
    mean *= np.float32(1 / side**2)
    return mean


def _pyramid(frame: Floats) -> list[Floats]:
    levels = [frame]
    while len(levels) < LEVELS and min(frame.shape) >= SMALLEST:
        frame = np.pad(frame, [(0, side % 2) for side in frame.shape], mode="edge")
        frame = (frame[::2, ::2] + frame[1::2, ::2] + frame[::2, 1::2] + frame[1::2, 1::2]) * np.float32(0.25)
        levels.append(frame)
    return levels


def _affine(parameters: NDArray[np.float64], shape: tuple[int, ...]) -> Floats:
    """Motion (2, H, W) of parameters (2, 3): at the centre, and what to add at the lower and at the right edge."""
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape)
    still, down, right = parameters.astype(np.float32).T[:, :, None, None]
    motion: Floats = still + down * y[:, None] + right * x
    return motion


def _shift(now: Floats, before: Floats) -> NDArray[np.float64]:
    """Whole pixels (2,) down and right by which most of `before` lies further on than in `now`."""
    window = np.outer(*(np.hanning(side + 2)[1:-1].astype(np.float32) for side in now.shape))
    a, b = (np.fft.rfft2((frame - frame.mean()) * window) for frame in (now, before))
    cross = b * a.conj()
    peak = np.argmax(np.fft.irfft2(cross / (np.abs(cross) + 1e-6), now.shape))
    size = np.array(now.shape)
    found: NDArray[np.float64] = (np.array(np.unravel_index(peak, now.shape)) + size // 2) % size - size // 2.0
    return found


def _camera(
    frames: list[tuple[Floats, Floats]], finest: int, camera: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Refine `camera` (2, 3), in pixels of level 0, level by level; return it and its error on the finest."""
    camera = camera.copy()
    for level in range(len(frames) - 1, finest - 1, -1):
        now, before = frames[level]
        places = np.indices(now.shape, dtype=np.float32)
        y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in now.shape)
        bases = [np.ones_like(now), np.broadcast_to(y[:, None], now.shape), np.broadcast_to(x, now.shape)]
        used = 1 if min(now.shape) < SMALLEST else 3  # few pixels do not tell more than a shift
        jacobian = (np.array(np.gradient(now))[:, None] * np.array(bases[:used])).reshape(2 * used, -1)
        for _ in range(4):
            difference, weight = _robust(now, before, *(places + _affine(camera / 2**level, now.shape)))
            weighted = jacobian * weight.ravel()
            normal = (weighted @ jacobian.T).astype(np.float64)
            normal += np.eye(2 * used) * (1e-3 * np.trace(normal) / (2 * used) + 1e-3)  # a flat frame stands still
            step = np.linalg.solve(normal, weighted @ difference.ravel()).reshape(2, used) * 2**level
            camera[:, :used] -= step
            if np.abs(step).max() < 0.02:
                break
    return camera, 1 - float(_robust(now, before, *(places + _affine(camera / 2**finest, now.shape)))[1].mean())


def _robust(now: Floats, before: Floats, y: Floats, x: Floats) -> tuple[Floats, Floats]:
    """The difference and how much it counts: 0 outside the frame, little where another thing is seen."""
    difference = sample(before, y, x) - now
    inside = (y >= 0) & (y <= now.shape[0] - 1) & (x >= 0) & (x <= now.shape[1] - 1)
    return difference, inside / (1 + (difference / np.float32(OUTLIER)) ** 2) ** 2


def _local(now: Floats, before: Floats, camera: Floats, own: Floats) -> Floats:
    """Refine the motion `own` (2, H, W) that comes on top of the camera's."""
    slope_y, slope_x = np.array(np.gradient(now))
    yy, xx, xy = box(slope_y**2, RADIUS) + DAMPING, box(slope_x**2, RADIUS) + DAMPING, box(slope_y * slope_x, RADIUS)
    determinant = yy * xx - xy**2
    places = np.indices(now.shape, dtype=np.float32) + camera
    still = sample(before, *places) - now
    for _ in range(2):
        error = sample(before, *(places + own)) - now
        y, x = box(slope_y * error, RADIUS), box(slope_x * error, RADIUS)
        own = own - np.clip(np.stack([xx * y - xy * x, yy * x - xy * y]) / determinant, -STEP, STEP)
    moved = sample(before, *(places + own)) - now
    better = box(moved**2, 2) < 0.8 * box(still**2, 2) - 1
    return own * box(better.astype(np.float32), 1)


def _fitted(motion: Floats, shape: tuple[int, ...]) -> Floats:
    """Motion of one level for the next finer one, of that shape; of the same shape it stays."""
    if motion.shape[1:] == shape:
        return motion
    finer = 2 * motion.repeat(2, axis=1).repeat(2, axis=2)[:, : shape[0], : shape[1]]
    return np.stack([box(part, 1) for part in finer])
