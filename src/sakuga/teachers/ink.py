"""Pen and ink: solid blacks and lines on white paper."""

import numpy as np
import torch
from torch import Tensor

from sakuga.losses import guided_filter
from sakuga.teachers.filters import along, blur, difference_of_gaussians, flow, lines, smooth, to_lab, to_photo


@torch.inference_mode()
def ink(photo: np.ndarray) -> np.ndarray:
    """Draw a photo with pen and ink, (H, W, 3) uint8 RGB to the same in black and white."""
    return to_photo(blacks(smooth(to_lab(photo), passes=1, tone=8.0), sigma=0.9, cut=0.38, crispness=45.0))


def blacks(lab: Tensor, *, sigma: float, cut: float, crispness: float) -> Tensor:
    """Solid blacks and lines: 1 on paper, 0 on ink, (1, 1, H, W).

    Extended difference of Gaussians along the flow (Winnemöller, Kyprianidis, Olsen, 2012) of a lightness
    evened against its guided-filter mean (He, Sun, Tang, 2010): a dark face is drawn, not filled. Thin lines over it.
    """
    gy, gx, _coherence = flow(lab, 3.0)
    light = lab[:, :1] / 100
    mean = guided_filter(light, light, radius=20, eps=0.03)
    tone = 0.5 + 1.2 * (light - mean) + 0.55 * (mean - 0.3)
    near, far = difference_of_gaussians(tone, gy, gx, sigma=1.0, length=4.0)
    value = 0.5 * along(near, gy, gx, 4.0) + 0.5 * blur(near, 2.0) + 8 * (near - far)
    filled = 0.5 + 0.5 * (crispness * (value - cut)).tanh()
    thin = lines(lab, sigma=sigma, length=4.0, threshold=0.006, sharpness=60.0, rounds=1)
    return (filled * thin).clamp(0, 1)
