"""What a style does to the signal: colour, detail, grain, patterns. Images are (N, 3, H, W) in [-1, 1].

Levels are of 0..255. Each function returns one value per sample.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from sakuga.losses import checkerboard, grayscale, rgb_to_lab

LEVELS = 127.5


def colour_shift(image: Tensor, photo: Tensor, *, area: int = 16) -> Tensor:
    """mean over areas of √(ΔL² + Δa² + Δb²), Δ the difference of their mean Lab colours (CIE 1976 ΔE).

    Areas are squares of `area` pixels, so that a stroke or a line is no shift of colour. About 2.3 is just noticeable.
    """
    difference = F.avg_pool2d(rgb_to_lab(image) - rgb_to_lab(photo), area)
    shift: Tensor = torch.linalg.vector_norm(difference, dim=1).mean((1, 2))
    return shift


def high_frequencies(image: Tensor) -> Tensor:
    """Luma less its own blur by [1 4 6 4 1] / 16 in either direction, in levels: (N, 1, H, W).

    What varies within about four pixels is left: lines, texture, noise.
    """
    luma = grayscale(image) * LEVELS
    taps = luma.new_tensor([1, 4, 6, 4, 1]) / 16
    padded = F.pad(luma, (2, 2, 2, 2), mode="reflect")
    return luma - F.conv2d(F.conv2d(padded, taps.view(1, 1, 1, 5)), taps.view(1, 1, 5, 1))


def energy(image: Tensor) -> Tensor:
    """Mean square of the high frequencies, in squared levels."""
    return high_frequencies(image).square().mean((1, 2, 3))


def grain(image: Tensor, photo: Tensor, *, area: int = 8) -> Tensor:
    """Root mean square, in levels, of the high frequencies where the photo is quiet: noise that no edge explains.

    Quiet is the half of the areas, squares of `area` pixels, in which the photo's own have the least energy.
    """
    own = F.avg_pool2d(high_frequencies(photo).square(), area).flatten(1)
    made = F.avg_pool2d(high_frequencies(image).square(), area).flatten(1)
    quiet = own.argsort(stable=True, dim=1)[:, : max(1, own.shape[1] // 2)]
    return made.gather(1, quiet).mean(1).sqrt()


def pattern(image: Tensor, photo: Tensor) -> Tensor:
    """Root mean square, in levels, of what the style adds with a period of 4 pixels, or 2: a checkerboard.

    `losses.checkerboard` of the difference to the photo, whose sides must be multiples of 4, 16 or more.
    """
    return checkerboard(image - photo, reduction="none").sqrt() * LEVELS
