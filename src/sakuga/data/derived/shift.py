"""Pictures moved within themselves."""

import numpy as np
from PIL import Image


def shift(picture: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Show nine tenths of a picture's sides (S, S, 3), anywhere, half of them mirrored; numbers (4,) from [0, 1)."""
    side = len(picture)
    left, top = 0.1 * side * drawn[1:3]
    box = (left, top, left + 0.9 * side, top + 0.9 * side)
    view = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR, box=box))
    return view[:, ::-1] if drawn[0] < 0.5 else view
