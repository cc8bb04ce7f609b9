"""Colour and light of a finished picture, as a film's colourist sets them; skin is left as it is."""

import math

import numpy as np
import torch

from sakuga.teachers.filters import blur, to_lab, to_photo, to_rgb

SKIN = (0.95, 0.65)
"""Middle and half width of the hues of skin, in radians of CIELAB's a and b."""

SOFT = 0.5
"""How much weaker outlines are on skin."""


@torch.inference_mode()
def grade(
    picture: np.ndarray,
    *,
    vivid: float = 0.0,
    contrast: float = 0.0,
    cool: float = 0.0,
    outlines: float = 0.0,
    lines: np.ndarray | None = None,
) -> np.ndarray:
    """Grade a picture (H, W, 3) uint8 RGB to the same, every pixel by its own colour.

    Args:
        picture: what is graded.
        vivid: how much chroma grows where there is some; 1 doubles it.
        contrast: bends lightness into an S (above 0) or flattens it (below).
        cool: how far deep shadows turn to violet, in units of CIELAB.
        outlines: how dark `lines` become, in a dark tint of what lies under them; 1 as `anime` has them.
        lines: (H, W, 3) uint8 as `sakuga.teachers.outlines` draws them.

    Colours of skin's hues stay as they are, but for the lines. No published source; what the
    grading tools of film call vibrance, split toning and a tone curve.
    """
    lab = to_lab(picture)
    light, a, b = lab[:, :1], lab[:, 1:2], lab[:, 2:]
    chroma, hue = (a * a + b * b).sqrt(), torch.atan2(b, a)
    apart = torch.atan2((hue - SKIN[0]).sin(), (hue - SKIN[0]).cos()) / SKIN[1]
    # Skin in shadow has little chroma, but no less beside its light.
    free = 1 - blur((-(apart**4)).exp() * (chroma / (1 + 0.15 * light)).clamp(0, 1), 2.0)
    stretch = 1 + vivid * free * ((chroma - 5) / 15).clamp(0, 1)
    shadow = cool * free * (1 - light / 65).clamp(0, 1)
    light = light - 100 * contrast * free * (2 * math.pi * light / 100).sin() / (2 * math.pi)
    graded = torch.cat([light, a * stretch + 0.35 * shadow, b * stretch - shadow], 1)
    if lines is not None and outlines:
        share = outlines * (1 - torch.from_numpy(lines[..., 0].astype(np.float32) / 255))
        share = share * (1 - SOFT * (1 - free))  # full lines make wrinkles of what is hardly seen
        graded = graded * (1 - share * torch.tensor([0.8, 0.3, 0.3]).view(1, 3, 1, 1))
    return to_photo(to_rgb(graded))
