"""WGAN-GP's residual generator and critic (Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, NeurIPS 2017)."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConditionalBatchNorm2d(nn.BatchNorm2d):
    """Batch norm with a gain and a bias for each class, which start at 1 and 0.

    Source: Dumoulin, Shlens, Kudlur, "A Learned Representation for Artistic Style", ICLR 2017.
    """

    def __init__(self, channels: int, classes: int):
        super().__init__(channels, affine=False)
        self.gain = nn.Parameter(torch.ones(classes, channels))
        self.shift = nn.Parameter(torch.zeros(classes, channels))

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Normalise (N, C, H, W) for one-hot classes (N, classes)."""
        assert label is not None
        gain, shift = ((label @ table)[:, :, None, None] for table in (self.gain, self.shift))
        return super().forward(x) * gain + shift


class ResidualBlock(nn.Module):
    """conv(ReLU(norm(conv(ReLU(norm(x)))))) plus x, twice as large, half as large or as large as before.

    Enlarging repeats pixels before the first convolution, halving takes means of 2×2 after the second; the shortcut is
    a 1×1 convolution with the same, or nothing where size and channels stay.

    Args:
        channels: of what comes in.
        out: of what comes out.
        resample: what happens to the size.
        norm: whether there is batch norm.
        classes: of conditional batch norm; 0 for the usual one.
        first: of a critic, the block that sees the picture: no ReLU before it, and its shortcut halves before it
            convolves.
    """

    def __init__(
        self,
        channels: int,
        out: int,
        *,
        resample: Literal["up", "down"] | None = None,
        norm: bool = False,
        classes: int = 0,
        first: bool = False,
    ):
        super().__init__()
        self.resample, self.first = resample, first
        self.norm1 = _norm(channels, classes) if norm else None
        self.conv1 = _convolution(channels, out, 3)
        self.norm2 = _norm(out, classes) if norm else None
        self.conv2 = _convolution(out, out, 3)
        plain = resample is None and channels == out
        self.shortcut = None if plain else _convolution(channels, out, 1, he=False)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Map (N, channels, H, W) to (N, out, H', W'); `label` (N, classes) is one-hot."""
        y = x if self.first else F.relu(_normed(self.norm1, x, label))
        y = self.conv1(F.interpolate(y, scale_factor=2) if self.resample == "up" else y)
        y = self.conv2(F.relu(_normed(self.norm2, y, label)))
        if self.resample == "down":
            y = F.avg_pool2d(y, 2)
        if self.shortcut is not None:
            if self.resample == "up":
                x = F.interpolate(x, scale_factor=2)
            x = F.avg_pool2d(x, 2) if self.first else x
            x = self.shortcut(x)
            if self.resample == "down" and not self.first:
                x = F.avg_pool2d(x, 2)
        return x + y


class WGANResNetGenerator(nn.Module):
    """Noise to a picture by residual blocks from 4×4 on, each twice as large; 1,204,483 parameters for 32×32×3.

    Args:
        noise: numbers that a picture is made of.
        channels: of the picture.
        width: channels of every layer.
        side: of the picture, a power of two.
        classes: of conditional batch norm; 0 for none.

    Raises:
        ValueError: `side` is no power of two, or less than 8.

    Source: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, appendix F for 32 pixels; larger
    sides have more blocks. Weights start evenly distributed, as in the official code.
    """

    def __init__(self, noise: int = 128, *, channels: int = 3, width: int = 128, side: int = 32, classes: int = 0):
        super().__init__()
        blocks = _halvings(side) - 2
        self.width = width
        self.start = nn.Linear(noise, width * 16)
        self.blocks = nn.ModuleList(
            ResidualBlock(width, width, resample="up", norm=True, classes=classes) for _ in range(blocks)
        )
        self.norm = nn.BatchNorm2d(width)
        self.last = _convolution(width, channels, 3, he=False)
        _even(self.start, noise, width * 16)

    def forward(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        """(N, noise) and one-hot classes (N, classes), if there are any, to (N, channels, side, side) in [-1, 1]."""
        x = self.start(noise).view(-1, self.width, 4, 4)
        for block in self.blocks:
            x = block(x, label)
        return torch.tanh(self.last(F.relu(self.norm(x))))


class WGANResNetCritic(nn.Module):
    """A picture to a raw score by residual blocks down to 8×8, two more there, and a mean; 1,053,825 parameters.

    There is no norm, for the gradient penalty is one of each sample. Arguments as the generator's; `classes` adds a
    head that names the class, of 1,290 parameters for ten.
    """

    def __init__(self, channels: int = 3, *, width: int = 128, side: int = 32, classes: int = 0):
        super().__init__()
        downs = [ResidualBlock(width, width, resample="down") for _ in range(_halvings(side) - 4)]
        self.blocks = nn.Sequential(
            ResidualBlock(channels, width, resample="down", first=True),
            *downs,
            ResidualBlock(width, width),
            ResidualBlock(width, width),
        )
        self.score = nn.Linear(width, 1)
        _even(self.score, width, 1)
        self.classes = nn.Linear(width, classes) if classes else None
        if self.classes is not None:
            _even(self.classes, width, classes)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """(N, channels, side, side) to scores (N, 1) and, where there are classes, logits (N, classes)."""
        features = F.relu(self.blocks(image)).mean((2, 3))
        return self.score(features), None if self.classes is None else self.classes(features)


def _halvings(side: int) -> int:
    if side < 16 or side & (side - 1):
        raise ValueError(f"side must be a power of two, 16 or more, not {side}")
    return side.bit_length() - 1


def _norm(channels: int, classes: int) -> nn.Module:
    return ConditionalBatchNorm2d(channels, classes) if classes else nn.BatchNorm2d(channels)


def _normed(norm: nn.Module | None, x: Tensor, label: Tensor | None) -> Tensor:
    if norm is None:
        return x
    y: Tensor = norm(x, label) if isinstance(norm, ConditionalBatchNorm2d) else norm(x)
    return y


def _convolution(channels: int, out: int, kernel: int, *, he: bool = True) -> nn.Conv2d:
    convolution = nn.Conv2d(channels, out, kernel, padding=kernel // 2)
    _even(convolution, channels * kernel**2, out * kernel**2, he=he)
    return convolution


def _even(layer: nn.Conv2d | nn.Linear, fan_in: int, fan_out: int, *, he: bool = False) -> None:
    """Start evenly distributed with a variance of 2 / (fan in + fan out), twice that before ReLU; biases at 0."""
    bound = math.sqrt(3 * (4 if he else 2) / (fan_in + fan_out))
    nn.init.uniform_(layer.weight, -bound, bound)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
