"""What is wrong with a frame as an example of a style."""

import numpy as np


def sharpness(grey: np.ndarray) -> float:
    """Variance of the Laplacian of (H, W) uint8.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR 2000.
    """
    if min(grey.shape) < 3:
        return 0.0
    # 16 bits hold -1020 ... 1020.
    wide = grey.astype(np.int16)
    middle = wide[1:-1, 1:-1]
    laplacian = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] - 4 * middle
    return float(laplacian.astype(np.float32).var())


def is_black(grey: np.ndarray) -> bool:
    """Whether 95 % of (H, W) uint8 are darker than 24."""
    return bool((grey < 24).mean() >= 0.95)


def is_white(grey: np.ndarray) -> bool:
    """Whether 95 % of (H, W) uint8 are brighter than 232."""
    return bool((grey > 232).mean() >= 0.95)


def is_night(grey: np.ndarray) -> bool:
    """Whether the mean of (H, W) uint8 is below a quarter of white."""
    return bool(grey.mean() < 64)


def is_credits(grey: np.ndarray) -> bool:
    """Whether (H, W) uint8, some 240 pixels high, is bright text, in rows or columns, on an even ground.

    All of these hold: three quarters of the pixels are within 12 levels of the most frequent one, the ground; hardly
    anything is darker than it; the rest is thin, so most of it is a step of 32 levels or more away from a neighbour in
    its row; and it stands in lines, each with many such steps and with empty rows between them.
    """
    return _is_written(grey) or _is_written(grey.T)


def _is_written(grey: np.ndarray) -> bool:
    counts = np.bincount(grey.ravel(), minlength=256)
    ground = int(counts.argmax())
    level = grey.astype(np.int16) - ground
    ink = level > 32
    if (np.abs(level) <= 12).mean() < 0.75 or (level < -32).mean() > 0.01 or not 0.002 < ink.mean() < 0.25:
        return False
    steps = np.abs(np.diff(level, axis=1)) >= 32
    near = np.zeros_like(ink)
    near[:, 1:] |= steps
    near[:, :-1] |= steps
    per_row = steps.sum(1)
    written = per_row >= 8
    lines = int((np.diff(written.astype(np.int8)) == 1).sum())
    in_lines = per_row[written].sum() / max(1, per_row.sum())
    return bool((near & ink).sum() / ink.sum() > 0.6 and lines >= 1 and in_lines > 0.7 and (per_row == 0).mean() > 0.25)
