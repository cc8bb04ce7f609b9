"""Comic book: bold ink over hard steps of strong colour."""

import numpy as np
import torch

from sakuga.losses import guided_filter
from sakuga.teachers.filters import smooth, steps, to_lab, to_photo, to_rgb
from sakuga.teachers.ink import blacks


@torch.inference_mode()
def comic(photo: np.ndarray) -> np.ndarray:
    """Draw a photo as a comic, (H, W, 3) uint8 RGB to the same.

    Paint as in `anime` (Kyprianidis, Döllner, 2008), evened by a small guided filter (He, Sun, Tang, 2010) so that the
    hard steps of lightness (Winnemöller, Olsen, Gooch, 2006) have smooth borders; the ink of `ink` multiplied in.
    """
    drawing = smooth(to_lab(photo), passes=1, tone=8.0)
    paint = smooth(drawing, passes=3, tone=10.0, space=4.0)
    light = 100 * (paint[:, :1] / 100).clamp(0, 1) ** 0.93
    light = steps(guided_filter(light, light, radius=3, eps=30.0), width=22.0, sharpness=9.0)
    paint = torch.cat([light, 1.5 * paint[:, 1:]], 1)
    return to_photo(to_rgb(paint) * blacks(drawing, sigma=1.0, cut=0.30, crispness=40.0))
