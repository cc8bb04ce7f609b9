"""Adaptive augmentation of what a discriminator sees (Karras, Aittala, Hellsten, Laine, Lehtinen, Aila, 2020)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TARGET = 0.6
"""Mean sign of D's scores of real pictures that is aimed at: above, it has begun to know them by heart."""
EVERY = 4
"""Batches between two changes of the probability."""
PICTURES = 500_000
"""Pictures in which the probability can rise from 0 to 1."""


class AdaptiveAugment(nn.Module):
    """Changes pictures of either kind with a probability that follows from how sure D is of the real ones.

    Flips, quarter turns, shifts, scales, turns, stretches, then brightness, contrast, inverted luma, hue, saturation,
    each with probability `p`: the official code's `bgc`. It resamples bilinearly, the border reflected, where that code
    filters with wavelets. Each process of a training has its own `p`.

    Source: "Training Generative Adversarial Networks with Limited Data", NeurIPS 2020, appendix B.
    """

    p: Tensor
    signs: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("p", "signs", "seen"):
            self.register_buffer(name, torch.zeros(()))

    def forward(self, image: Tensor) -> Tensor:
        """Augment (N, 3, H, W)."""
        return _colors(_places(image, float(self.p)), float(self.p)) if self.p > 0 else image

    @torch.no_grad()
    def learn(self, scores: Tensor) -> None:
        """Take note of D's scores of real pictures, and change `p` every so often."""
        self.signs += scores.sign().sum()
        self.seen += len(scores)
        if self.seen >= EVERY * len(scores):
            step = float((self.signs / self.seen - TARGET).sign()) * float(self.seen) / PICTURES
            self.p.add_(step).clamp_(0, 1)
            self.signs.zero_()
            self.seen.zero_()


def _places(image: Tensor, p: float) -> Tensor:
    n, height, width = len(image), *image.shape[2:]

    def chosen(values: Tensor, rest: float, p: float = p) -> Tensor:
        """The values where an operation is done, `rest` elsewhere."""
        return torch.where(torch.rand(n, device=image.device) < p, values, torch.full_like(values, rest))

    def uniform() -> Tensor:
        return torch.rand(n, device=image.device)

    def normal(deviation: float) -> Tensor:
        return torch.randn(n, device=image.device) * deviation

    def scale(x: Tensor, y: Tensor) -> Tensor:
        return _matrix([[x, 0, 0], [0, y, 0], [0, 0, 1]])

    def turn(angle: Tensor) -> Tensor:
        return _matrix([[angle.cos(), -angle.sin(), 0], [angle.sin(), angle.cos(), 0], [0, 0, 1]])

    def shift(x: Tensor, y: Tensor) -> Tensor:
        return _matrix([[torch.ones_like(x), 0, x], [0, 1, y], [0, 0, 1]])

    one = torch.ones(n, device=image.device)
    apart = 1 - math.sqrt(1 - p)  # two turns, before and after the stretch, together with probability p
    whole = [chosen((uniform() * 2 - 1) * 0.125, 0.0) for _ in "xy"]
    size, stretch = chosen(2 ** normal(0.2), 1.0), chosen(2 ** normal(0.2), 1.0)
    steps = [
        scale(chosen(1 - 2 * (uniform() * 2).floor(), 1.0), one),
        turn(chosen((uniform() * 4).floor() * (math.pi / 2), 0.0)),
        shift(*((2 * (part * side).round() / side) for part, side in zip(whole, (width, height), strict=True))),
        scale(size, size),
        turn(chosen((uniform() * 2 - 1) * math.pi, 0.0, apart)),
        scale(stretch, 1 / stretch),
        turn(chosen((uniform() * 2 - 1) * math.pi, 0.0, apart)),
        shift(*(2 * chosen(normal(0.125), 0.0) for _ in "xy")),
    ]
    grid = F.affine_grid(_product(steps)[:, :2].to(image.dtype), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)


def _colors(image: Tensor, p: float) -> Tensor:
    n = len(image)
    gray = torch.full((3, 3), 1 / 3, device=image.device)
    identity = torch.eye(3, device=image.device)

    def chosen(values: Tensor, rest: float) -> Tensor:
        done = torch.rand(n, 1, 1, device=image.device) < p
        return torch.where(done, values, torch.full_like(values, rest))

    def uniform() -> Tensor:
        return torch.rand(n, 1, 1, device=image.device)

    def normal(deviation: float) -> Tensor:
        return torch.randn(n, 1, 1, device=image.device) * deviation

    offset, contrast = chosen(normal(0.2), 0.0), chosen(2 ** normal(0.5), 1.0)
    inverted = chosen((uniform() * 2).floor(), 0.0)
    angle, saturation = chosen((uniform() * 2 - 1) * math.pi, 0.0), chosen(2 ** normal(1.0), 1.0)
    # A turn around the axis of grays (Rodrigues): gray parts stay, the others turn.
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=image.device) / math.sqrt(3)
    turned = gray + angle.cos() * (identity - gray) + angle.sin() * cross
    matrix = (gray + saturation * (identity - gray)) @ turned @ (identity - 2 * inverted * gray) * contrast
    moved = matrix.sum(2, keepdim=True) / contrast * (offset * contrast)
    flat = matrix.to(image.dtype) @ image.flatten(2) + moved.to(image.dtype)
    return flat.view_as(image)


def _matrix(rows: list[list[Tensor | float | int]]) -> Tensor:
    """Numbers and (N,) tensors as matrices (N, 3, 3)."""
    one = next(value for row in rows for value in row if isinstance(value, Tensor))
    cells = [value if isinstance(value, Tensor) else torch.full_like(one, value) for row in rows for value in row]
    return torch.stack(cells, 1).view(-1, 3, 3)


def _product(matrices: list[Tensor]) -> Tensor:
    result = matrices[0]
    for matrix in matrices[1:]:
        result = result @ matrix
    return result
