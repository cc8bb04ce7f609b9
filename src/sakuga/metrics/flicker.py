"""How much a style flickers: the temporal warping error, where motion is known and where it is estimated.

    E = Σ_p M(p) ‖O_t(p) - O_{t-1}(p + w(p))‖² / 3 Σ_p M(p), averaged over the pairs of frames,

O the stylised frames in [0, 1], w the motion of the photographed scene from frame t back to t - 1, M 1 where both
frames show the same. Source: Lai, Huang, Wang, Shechtman, Yumer, Yang, "Learning Blind Video Temporal Consistency",
ECCV 2018, equation 6.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from scipy.ndimage import map_coordinates
from skimage.registration import optical_flow_tvl1

from sakuga.picture.arrays import BT601

STEP = (1, 3)
"""Pixels down and right between frames of a pan: odd, to find out a network that works on squares of 2 or 4."""

Paint = Callable[[np.ndarray], np.ndarray]
"""RGB (H, W, 3) uint8 to the same, perhaps larger by a whole factor."""


def pan(picture: np.ndarray, *, size: int, frames: int) -> list[np.ndarray]:
    """Let a window of `size` pixels square move by STEP over a picture (H, W, 3): the motion is exactly known.

    Raises:
        ValueError: the picture is too small for that many frames.
    """
    down, right = ((frames - 1) * step for step in STEP)
    if picture.shape[0] < size + down or picture.shape[1] < size + right:
        raise ValueError(f"picture must be {size + right}x{size + down} or larger, not {picture.shape[1::-1]}.")
    starts = [(t * STEP[0], t * STEP[1]) for t in range(frames)]
    return [picture[y : y + size, x : x + size] for y, x in starts]


def pan_error(paint: Paint, window: Sequence[np.ndarray]) -> float:
    """Warping error of the frames of a `pan`, stylised one by one."""
    errors = []
    for before, after in pairwise(map(paint, window)):
        scale = len(after) // len(window[0])
        down, right = STEP[0] * scale, STEP[1] * scale
        errors.append(_square(before[down:, right:], after[:-down, :-right]).mean())
    return float(np.mean(errors))


class Motion:
    """Motion between consecutive frames (H, W, 3) of a real clip, estimated once, for any number of styles.

    TV-L1 optical flow (Zach, Pock, Bischof, DAGM 2007, of scikit-image) of the input's luma, in either direction. A
    pixel does not count where the two flows disagree, |w + ŵ|² > 0.01 (|w|² + |ŵ|²) + 0.5, near a motion boundary,
    |∇u|² + |∇v|² > 0.01 |w|² + 0.002, or where w leaves the frame (Ruder, Dosovitskiy, Brox, "Artistic Style Transfer
    for Videos", GCPR 2016, section 5.1).
    """

    def __init__(self, frames: Sequence[np.ndarray]):
        luma = [frame @ np.array(BT601) / 255 for frame in frames]
        self.flows, self.masks = [], []
        for before, after in pairwise(luma):
            back = optical_flow_tvl1(after, before, dtype=np.float32)  # type: ignore[no-untyped-call]
            forth = optical_flow_tvl1(before, after, dtype=np.float32)  # type: ignore[no-untyped-call]
            self.flows.append(back)
            self.masks.append(_visible(back, forth))

    def error(self, painted: Sequence[np.ndarray]) -> float:
        """Warping error of the stylised frames, (H, W, 3) uint8 as many and as large as the clip's."""
        errors, seen = 0.0, 0
        for (before, after), flow, mask in zip(pairwise(painted), self.flows, self.masks, strict=True):
            if mask.any():
                errors += float(_square(_warped(before, flow), after)[mask].mean())
                seen += 1
        return errors / seen if seen else float("nan")


def _visible(flow: np.ndarray, reverse: np.ndarray) -> np.ndarray:
    there = np.stack([_sampled(part, flow) for part in reverse])
    length, reverse_length = (flow**2).sum(0), (there**2).sum(0)
    agree = ((flow + there) ** 2).sum(0) <= 0.01 * (length + reverse_length) + 0.5
    slopes = sum(slope**2 for part in flow for slope in np.gradient(part))
    place = np.indices(flow.shape[1:]) + flow
    inside = np.all([(place[i] >= 0) & (place[i] <= flow.shape[i + 1] - 1) for i in (0, 1)], axis=0)
    visible: np.ndarray = agree & (slopes <= 0.01 * length + 0.002) & inside
    return visible


def _warped(frame: np.ndarray, flow: np.ndarray) -> np.ndarray:
    return np.stack([_sampled(frame[..., c].astype(np.float32), flow) for c in range(3)], axis=-1)


def _sampled(plane: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """plane(p + w(p)), bilinear."""
    found: np.ndarray = map_coordinates(plane, np.indices(plane.shape) + flow, order=1, mode="nearest")
    return found


def _square(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean square over the channels, pixels in [0, 1]: (H, W)."""
    square: np.ndarray = (((a.astype(np.float32) - b) / 255) ** 2).mean(-1)
    return square
