"""Poisson blending: a face takes the colours of its surroundings and keeps its own edges."""

import torch
import torch.nn.functional as F
from torch import Tensor

COARSEST = 16
"""Side in pixels below which no coarser solution is sought first."""


@torch.no_grad()
def poisson_blend(source: Tensor, target: Tensor, mask: Tensor, *, tolerance: float = 1e-5, most: int = 2000) -> Tensor:
    """Solve Δu = Δs where the mask is, u = t elsewhere: pictures s, t (N, C, H, W), mask (N, 1, H, W) of 0 and 1.

    u - s is harmonic, as smooth as t - s around the mask allows. Across the picture's border there are no differences;
    what a mask covers up to all borders is left as it is in s. Values may leave [-1, 1]. Not differentiable.

    Conjugate gradients from the solution at half the size, until no residual exceeds `tolerance`, in the pictures'
    units, or for `most` steps.

    Source: Pérez, Gangnet, Blake, "Poisson Image Editing", SIGGRAPH 2003, equations 7 and 11 with the source's
    gradients, which is OpenCV's seamlessClone, by which FSGAN's targets of blending are made.
    """
    inside = (mask > 0.5).to(target)
    known = ((1 - inside).amax((2, 3), keepdim=True) > 0).to(target)
    offset = _harmonic((target - source) * known, inside * known, tolerance, most)
    return source + offset


def _harmonic(values: Tensor, inside: Tensor, tolerance: float, most: int) -> Tensor:
    """Continue what is known of the values outside into the inside."""
    residual = -inside * _laplacian(found := torch.lerp(values, _guess(values, inside, tolerance, most), inside))
    direction, length = residual, _dot(residual, residual)
    for _ in range(most):
        if float(residual.abs().amax()) <= tolerance:
            break
        spread = inside * _laplacian(direction)
        step = length / _dot(direction, spread).clamp_min(1e-30)
        found, residual = found + step * direction, residual - step * spread
        before, length = length, _dot(residual, residual)
        direction = residual + length / before.clamp_min(1e-30) * direction
    return found


def _guess(values: Tensor, inside: Tensor, tolerance: float, most: int) -> Tensor:
    """The solution of half the size, where cells of four are known that have any known pixel."""
    height, width = values.shape[2:]
    outside = 1 - inside
    if min(height, width) < COARSEST:
        share = outside.sum((2, 3), keepdim=True).clamp_min(1)
        return ((values * outside).sum((2, 3), keepdim=True) / share).expand_as(values)
    weight, total = (F.avg_pool2d(image, 2, ceil_mode=True) for image in (outside, values * outside))
    unknown = (weight == 0).to(values)
    coarse = _harmonic(total / (weight + unknown), unknown, tolerance, most)
    return F.interpolate(coarse, size=(height, width), mode="bilinear")


def _laplacian(image: Tensor) -> Tensor:
    """Sum of the differences from the neighbours that a pixel has."""
    wide = F.pad(image, (1, 1, 1, 1), mode="replicate")
    around = wide[..., :-2, 1:-1] + wide[..., 2:, 1:-1] + wide[..., 1:-1, :-2] + wide[..., 1:-1, 2:]
    return 4 * image - around


def _dot(one: Tensor, other: Tensor) -> Tensor:
    """Products of each channel, (N, C, 1, 1): every one is a system of its own."""
    return (one * other).sum((2, 3), keepdim=True)
