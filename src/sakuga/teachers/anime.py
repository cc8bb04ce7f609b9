"""Animation: clear flat paint, soft steps of light, outlines in a dark tint of the paint."""

import numpy as np
import torch

from sakuga.teachers.filters import gradient, smooth, steps, to_lab, to_photo, to_rgb
from sakuga.teachers.outlines import clean_lines


@torch.inference_mode()
def anime(photo: np.ndarray) -> np.ndarray:
    """Paint a photo as animation, (H, W, 3) uint8 RGB to the same.

    Orientation-aligned bilateral smoothing (Kyprianidis, Döllner, 2008); lightness in soft steps that are sharp only
    where light changes, so that skies have no bands (Winnemöller, Olsen, Gooch, 2006); flow-based lines (Kang, Lee,
    Chui, 2007).
    """
    drawing = smooth(to_lab(photo), passes=1, tone=8.0)
    paint = smooth(drawing, passes=4, tone=8.0, space=4.0)
    line = clean_lines(drawing)
    light = 100 * (paint[:, :1] / 100).clamp(0, 1) ** 0.93
    down, right = gradient(light, 2.5)
    folds = (5 * (down * down + right * right).sqrt()).clamp(0.3, 9)
    light = 0.25 * light + 0.75 * steps(light, width=17.0, sharpness=folds)
    paint = torch.cat([light, 1.3 * paint[:, 1:]], 1)
    ink = paint * torch.tensor([0.2, 0.7, 0.7]).view(1, 3, 1, 1)
    return to_photo(to_rgb(ink + (paint - ink) * line))
