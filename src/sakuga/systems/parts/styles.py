"""What both StyleGANs share: styles that are mixed, averages by a half-life, and truncation, which users set."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from sakuga.style.inputs import Input
from sakuga.systems.base import Preview
from sakuga.systems.parts.noise import SHOWN

HALF_LIFE = 10_000
"""Pictures after which what the averages were counts half."""


class MeanLength(nn.Module):
    """The running mean of path lengths, which checkpoints hold."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))


def style_inputs(noise: int) -> tuple[Input, Input]:
    """Return what users set: noise of so many numbers, and how far pictures may be from the mean face."""
    return Input("noise", "noise", size=noise), Input("truncation", "number", minimum=0, maximum=1, default=0.7)


def mixing_cut(chance: Tensor, layers: int, share: float) -> Tensor:
    """Return the first layer (N,) that takes the style of another noise; `layers` where none does.

    `chance`: (N, 2) in [0, 1), where to cut and whether, which a `share` of the samples are.
    """
    cut = 1 + (chance[:, 0] * (layers - 1)).floor()
    return torch.where(chance[:, 1] < share, cut, torch.full_like(cut, layers))


def half_life(batch: int, t: int) -> float:
    """Return the decay of the averages after step `t`, of `batch` pictures; early steps count for more."""
    return float(min(0.5 ** (batch / HALF_LIFE), (1 + t) / (10 + t)))


def lazy_adam(weights: Iterable[nn.Parameter], lr: float, every: int) -> torch.optim.Adam:
    """Adam with β = (0, 0.99) for weights with a regularisation of their own every so many steps (0: without).

    Rate and β are adapted to the steps that it adds, as in StyleGAN 2 (Karras et al., CVPR 2020, appendix B).
    """
    share = every / (every + 1) if every else 1.0
    learning = [weight for weight in weights if weight.requires_grad]
    return torch.optim.Adam(learning, lr * share, betas=(0.0, 0.99**share))


def whole_variety(noise: int, references: Tensor) -> Preview:
    """Sixty-four points of the noise without truncation, and pictures to be learned."""
    points = torch.randn(SHOWN, noise, generator=torch.Generator().manual_seed(0))
    return Preview({"noise": points, "truncation": torch.ones(SHOWN)}, references)
