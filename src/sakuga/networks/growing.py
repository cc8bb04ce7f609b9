"""PGGAN's generator and discriminator, which begin at 4×4 pixels and grow (Karras, Aila, Laine, Lehtinen, ICLR 2018).

How far they have grown is one number, `growth`: 0 at 4×4 pixels, 1 at 8×8, 2 at 16×16; at 1.3 the layers for 16×16 have
faded in by three tenths, and pictures are 16×16 already.
"""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.networks.equalised import (
    GAIN,
    EqualisedConv2d,
    EqualisedLinear,
    leaky,
    minibatch_deviation,
    pixel_norm,
    widths,
)
from sakuga.networks.fir import blur


def enlarge(x: Tensor, times: int = 2) -> Tensor:
    """Repeat every pixel, (N, C, H, W) to (N, C, times H, times W)."""
    return F.interpolate(x, scale_factor=times, mode="nearest")


def fade(old: Tensor, new: Tensor, growth: float) -> Tensor:
    """Go over from an old level to the new one, by what `growth` has after the point; (N, C, H, W) each."""
    return old + (growth - math.floor(growth)) * (new - old)


def shrink(image: Tensor, growth: float) -> Tensor:
    """Show a picture (N, C, S, S) as a generator of this growth would: smaller by averaging, fading as it fades.

    Source: Karras et al., ICLR 2018, figure 2; the official code fades real pictures as well.
    """
    level = math.ceil(growth)
    factor = image.shape[-1] // 2 ** (level + 2)
    small = F.avg_pool2d(image, factor) if factor > 1 else image
    return small if growth == level else fade(enlarge(F.avg_pool2d(small, 2)), small, growth)


class GrowingGenerator(nn.Module):
    """Noise to a picture; at 1024 pixels with `width` 16 it has 23,071,456 parameters and 7,659 of the layers to RGB.

    Args:
        noise: numbers that a picture is made of.
        side: of the full-grown picture, a power of two.
        width: channels at that side; twice as many at half of it.
        widest: but no more than these.

    Attributes:
        growth: how far it has grown, a scalar tensor that checkpoints hold; see this module.

    Source: Karras et al., ICLR 2018, table 2; pictures come from a linear layer, as in the official code.
    """

    growth: Tensor

    def __init__(self, noise: int = 512, *, side: int = 64, width: int = 256, widest: int = 512):
        super().__init__()
        channels = widths(side, width, widest)
        self.first = _First(noise, channels[0])
        self.blocks = nn.ModuleList(_Up(a, b) for a, b in pairwise(channels))
        self.to_rgb = nn.ModuleList(EqualisedConv2d(n, 3, 1, gain=1) for n in channels)
        self.register_buffer("growth", torch.tensor(float(len(channels) - 1)))

    def forward(self, noise: Tensor, growth: float) -> Tensor:
        """(N, noise) to (N, 3, s, s), of 4 × 2^⌈growth⌉ pixels; values may leave [-1, 1]."""
        level = math.ceil(growth)
        x = before = self.first(pixel_norm(noise))
        for block in self.blocks[:level]:
            before, x = x, block(enlarge(x))
        image: Tensor = self.to_rgb[level](x)
        return image if growth == level else fade(enlarge(self.to_rgb[level - 1](before)), image, growth)


class GrowingDiscriminator(nn.Module):
    """A picture to a raw score; 23,077,073 parameters at 1024 pixels with `width` 16, and 10,176 of layers from RGB.

    No norms; a channel with the minibatch's deviation before the last convolution. Arguments as the generator's;
    `smooth`: blur before layers that halve the size, as StyleGAN's.

    Source: Karras et al., ICLR 2018, table 2; Karras, Laine, Aila, CVPR 2019, for the blur.
    """

    def __init__(self, *, side: int = 64, width: int = 256, widest: int = 512, smooth: bool = False):
        super().__init__()
        channels = widths(side, width, widest)
        self.from_rgb = nn.ModuleList(EqualisedConv2d(3, n, 1) for n in channels)
        self.blocks = nn.ModuleList(_Down(b, a, smooth) for a, b in pairwise(channels))
        self.convolution = EqualisedConv2d(channels[0] + 1, channels[0], 3)
        self.dense = EqualisedLinear(16 * channels[0], min(2 * channels[0], widest))
        self.score = EqualisedLinear(min(2 * channels[0], widest), 1, gain=1)

    def forward(self, image: Tensor, growth: float) -> Tensor:
        """(N, 3, s, s) of 4 × 2^⌈growth⌉ pixels to (N, 1)."""
        level = math.ceil(growth)
        x = leaky(self.from_rgb[level](image))
        if level:
            x = self.blocks[level - 1](x)
        if growth < level:
            x = fade(leaky(self.from_rgb[level - 1](F.avg_pool2d(image, 2))), x, growth)
        for block in reversed(self.blocks[: max(0, level - 1)]):
            x = block(x)
        x = leaky(self.convolution(minibatch_deviation(x)))
        score: Tensor = self.score(leaky(self.dense(x.flatten(1))))
        return score


class FullSize(nn.Module):
    """What users run of a generator that grows: its pictures, enlarged to their final size."""

    def __init__(self, generator: GrowingGenerator, side: int):
        super().__init__()
        self.generator, self.side = generator, side

    def forward(self, noise: Tensor) -> Tensor:
        """(N, noise) to (N, 3, side, side)."""
        growth = float(self.generator.growth)
        return enlarge(self.generator(noise, growth), self.side // 2 ** (math.ceil(growth) + 2))


class _First(nn.Module):
    """Noise to 4×4 pixels."""

    def __init__(self, noise: int, channels: int):
        super().__init__()
        self.dense = EqualisedLinear(noise, 16 * channels, gain=GAIN / 4, bias=False)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.convolution = EqualisedConv2d(channels, channels, 3)

    def forward(self, noise: Tensor) -> Tensor:
        x = self.dense(noise).view(len(noise), -1, 4, 4) + self.bias.view(-1, 1, 1)
        return pixel_norm(leaky(self.convolution(pixel_norm(leaky(x)))))


class _Up(nn.Sequential):
    """Two convolutions at a size."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(EqualisedConv2d(inputs, outputs, 3), EqualisedConv2d(outputs, outputs, 3))

    def forward(self, x: Tensor) -> Tensor:
        for convolution in self:
            x = pixel_norm(leaky(convolution(x)))
        return x


class _Down(nn.Module):
    """Two convolutions, the second to half the size."""

    def __init__(self, inputs: int, outputs: int, smooth: bool):
        super().__init__()
        self.convolutions = nn.Sequential(EqualisedConv2d(inputs, inputs, 3), EqualisedConv2d(inputs, outputs, 3))
        self.smooth = smooth

    def forward(self, x: Tensor) -> Tensor:
        keep, halve = self.convolutions
        x = leaky(keep(x))
        if not self.smooth:
            return F.avg_pool2d(leaky(halve(x)), 2)
        return leaky(F.avg_pool2d(halve(blur(x)), 2))
