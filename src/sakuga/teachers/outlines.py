"""Outlines alone: dark lines along the edges of a photo, on white."""

import numpy as np
import torch
from torch import Tensor

from sakuga.teachers.filters import lines, smooth, to_lab, to_photo


@torch.inference_mode()
def outlines(photo: np.ndarray) -> np.ndarray:
    """Draw the outlines of a photo, (H, W, 3) uint8 RGB to the same in gray (Kang, Lee, Chui, 2007)."""
    return to_photo(clean_lines(smooth(to_lab(photo), passes=1, tone=8.0)))


def clean_lines(drawing: Tensor) -> Tensor:
    """Thin clean lines of a smoothed Lab image, those of `anime`: 1 on paper, towards 0 on lines, (1, 1, H, W)."""
    return lines(drawing, sigma=0.8, length=3.5, threshold=0.006, sharpness=28.0)
