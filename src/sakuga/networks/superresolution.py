"""The super-resolution network of Johnson, Alahi, Fei-Fei (ECCV 2016)."""

from typing import Literal

import torch
from torch import Tensor, nn

from sakuga.networks.layers import InstanceNorm, Upsample, enlarge, reflected


class SuperResolution(nn.Module):
    """Small to large picture, (N, 3, H, W) in [-1, 1] to (N, 3, f·H, f·W); 401,859 parameters for f = 4.

    c9s1-64, R64 × `blocks`, log₂ f × u64, c9s1-3, tanh; a norm and ReLU after every other convolution, none after the
    residual sums. Any sides from five up. Every convolution continues the picture by
    reflection.

    Args:
        factor: 4 or 8 (438,915 parameters).
        width: channels inside.
        blocks: residual blocks.
        upsample: the published `deconv`, or `resize` against checkerboards; the number of parameters is the same.
        norm: the paper's `batch`, folded away in a style file, so tiles are exact; or the official code's later
            `instance`, which takes each picture's contrast from the picture as a whole.

    Raises:
        ValueError: another factor, an unknown `upsample` or `norm`.

    Source: Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", supplementary
    table 2.
    """

    multiple = 1

    def __init__(
        self,
        factor: int = 4,
        *,
        width: int = 64,
        blocks: int = 4,
        upsample: Upsample = "deconv",
        norm: Literal["batch", "instance"] = "batch",
    ):
        super().__init__()
        if factor not in (4, 8):
            raise ValueError(f"factor must be 4 or 8, not {factor}")
        if norm not in ("batch", "instance"):
            raise ValueError(f"norm must be 'batch' or 'instance', not {norm!r}")
        self.scale = factor
        # Pixels of the input that its own f × f pixels of the output depend on: the first convolution looks 4 pixels
        # to each side, a block 2, and all that follows, at higher resolution, together 2.
        self.receptive_field = 2 * (4 + 2 * blocks + 2) + 1 if norm == "batch" else 0

        def normed(*layers: nn.Module) -> nn.Sequential:
            affine = nn.BatchNorm2d(width) if norm == "batch" else InstanceNorm(width, affine=True)
            return nn.Sequential(*layers, affine)

        self.head = nn.Sequential(normed(reflected(3, width, 9)), nn.ReLU(inplace=True))
        self.blocks = nn.ModuleList(
            nn.Sequential(normed(reflected(width, width, 3)), nn.ReLU(inplace=True), normed(reflected(width, width, 3)))
            for _ in range(blocks)
        )
        doublings = factor.bit_length() - 1
        self.tail = nn.Sequential(
            *(nn.Sequential(normed(*enlarge(width, width, upsample)), nn.ReLU(inplace=True)) for _ in range(doublings)),
            reflected(width, 3, 9),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Enlarge."""
        x = self.head(image)
        for block in self.blocks:
            x = x + block(x)
        return torch.tanh(self.tail(x))
