"""Animation cel: flat paint in few hard steps of light, dark outlines."""

import numpy as np
import torch

from sakuga.losses import guided_filter
from sakuga.teachers.filters import lines, smooth, steps, to_lab, to_photo, to_rgb


@torch.inference_mode()
def cel(photo: np.ndarray) -> np.ndarray:
    """Paint a photo as an animation cel, (H, W, 3) uint8 RGB to the same.

    Orientation-aligned bilateral smoothing (Kyprianidis, Döllner, 2008), evened by a small guided filter (He, Sun,
    Tang, 2010) so that borders between steps are smooth curves; lightness in five hard steps (Winnemöller, Olsen,
    Gooch, 2006); flow-based lines (Kang, Lee, Chui, 2007), which have no staircase.
    """
    drawing = smooth(to_lab(photo), passes=1, tone=8.0)
    paint = smooth(drawing, passes=4, tone=11.0, space=4.0)
    light = 100 * (paint[:, :1] / 100).clamp(0, 1) ** 0.9
    light = guided_filter(light, light, radius=4, eps=40.0)
    paint = torch.cat([0.3 * light + 0.7 * steps(light, width=20.0, sharpness=12.0), 1.2 * paint[:, 1:]], 1)
    line = lines(drawing, sigma=1.0, length=4.5, threshold=0.006, sharpness=28.0)
    ink = paint * torch.tensor([0.1, 0.3, 0.3]).view(1, 3, 1, 1)
    return to_photo(to_rgb(ink + (paint - ink) * line))
