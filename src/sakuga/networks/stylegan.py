"""StyleGAN's generator: styles instead of an input, two for every size (Karras, Laine, Aila, CVPR 2019)."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from sakuga.networks.equalised import GAIN, EqualisedConv2d, EqualisedLinear, leaky, widths
from sakuga.networks.fir import blur
from sakuga.networks.growing import enlarge, fade
from sakuga.networks.layers import instance_norm
from sakuga.networks.stylegan2 import Mapping, mixed

TRUNCATED = 8
"""Layers that truncation concerns: those of the small sizes."""


class Epilogue(nn.Module):
    """What follows every convolution: noise, bias, leaky ReLU, instance norm, and the style's mean and deviation.

    Noise has a strength for each channel, which begins at 0. x' = (s + 1) IN(x) + b, (s, b) a linear function of w.
    """

    fixed: Tensor

    def __init__(self, channels: int, latent: int, side: int):
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.style = EqualisedLinear(latent, 2 * channels, gain=1)
        self.register_buffer("fixed", torch.randn(1, 1, side, side))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, channels, H, W); the noise is drawn anew in training and a fixed one afterwards."""
        noise = torch.randn_like(x[:, :1]) if self.training else self.fixed.to(x.dtype)
        x = leaky(x + noise * self.strength.view(-1, 1, 1) + self.bias.view(-1, 1, 1))
        scale, shift = self.style(w)[:, :, None, None].chunk(2, 1)
        styled: Tensor = instance_norm(x, eps=1e-8) * (scale + 1) + shift
        return styled


class StyleGANSynthesis(nn.Module):
    """Latents to a picture that grows, see `networks.growing`; 23,977,472 parameters at 256 pixels, 24,110,720 at 1024,
    and 7,509 or 7,659 of the layers to RGB.

    It begins with a learned constant of 4×4 pixels. Arguments as `GrowingGenerator` has them; `latent`: size of w.

    Source: Karras, Laine, Aila, "A Style-Based Generator Architecture for Generative Adversarial Networks", CVPR 2019,
    figure 1; order within a layer as in the official code.
    """

    def __init__(self, *, side: int = 64, width: int = 256, widest: int = 512, latent: int = 512):
        super().__init__()
        channels = widths(side, width, widest)
        self.const = nn.Parameter(torch.ones(channels[0], 4, 4))
        self.first = Epilogue(channels[0], latent, 4)
        self.convolution = EqualisedConv2d(channels[0], channels[0], 3, bias=False)
        self.second = Epilogue(channels[0], latent, 4)
        self.blocks = nn.ModuleList(_Up(a, b, latent, 8 << i) for i, (a, b) in enumerate(pairwise(channels)))
        self.to_rgb = nn.ModuleList(EqualisedConv2d(n, 3, 1, gain=1) for n in channels)

    def count(self, growth: float) -> int:
        """How many latents take part, two for each size."""
        return 2 * math.ceil(growth) + 2

    def forward(self, w: Tensor, growth: float) -> Tensor:
        """Latents (N, L, latent), L as `count` says or more, to (N, 3, s, s); values may leave [-1, 1]."""
        level = math.ceil(growth)
        x = self.first(self.const.expand(len(w), -1, -1, -1), w[:, 0])
        x = before = self.second(self.convolution(x), w[:, 1])
        for number, block in enumerate(self.blocks[:level], start=1):
            before, x = x, block(x, w[:, 2 * number], w[:, 2 * number + 1])
        image: Tensor = self.to_rgb[level](x)
        return image if growth == level else fade(enlarge(self.to_rgb[level - 1](before)), image, growth)


class StyleGANGenerator(nn.Module):
    """Noise to w by `mapping`, w to a picture by `synthesis`; `growth` says how far it has grown."""

    growth: Tensor

    def __init__(self, noise: int = 512, *, side: int = 64, width: int = 256, widest: int = 512, layers: int = 8):
        super().__init__()
        self.mapping = Mapping(noise, layers, gain=GAIN)
        self.synthesis = StyleGANSynthesis(side=side, width=width, widest=widest, latent=noise)
        self.register_buffer("growth", torch.tensor(float(len(self.synthesis.blocks))))

    def forward(self, noise: Tensor, growth: float, other: Tensor | None = None, cut: Tensor | None = None) -> Tensor:
        """(N, noise) to pictures (N, 3, s, s); layers from `cut` (N,) on take the style of `other` (N, noise)."""
        latents = mixed(self.mapping, self.synthesis.count(growth), noise, other, cut)
        picture: Tensor = self.synthesis(latents, growth)
        return picture

    @property
    def layers(self) -> int:
        """How many latents a picture takes, as far as it has grown."""
        return self.synthesis.count(float(self.growth))

    def render(self, latents: Tensor) -> Tensor:
        """Latents (N, layers, noise) to pictures of the size that it has grown to."""
        picture: Tensor = self.synthesis(latents, float(self.growth))
        return picture

    def truncated(self, noise: Tensor, truncation: Tensor, growth: float) -> Tensor:
        """Pictures whose first styles are drawn to the mean, (N,): 1 leaves them, 0 is the mean."""
        w = self.mapping(noise)
        drawn = self.mapping.truncate(w, truncation[:, None])
        count = self.synthesis.count(growth)
        latents = [drawn if layer < TRUNCATED else w for layer in range(count)]
        picture: Tensor = self.synthesis(torch.stack(latents, 1), growth)
        return picture


class _Up(nn.Module):
    """Two layers of a size, the first of which enlarges and blurs."""

    def __init__(self, inputs: int, outputs: int, latent: int, side: int):
        super().__init__()
        self.enlarging = EqualisedConv2d(inputs, outputs, 3, bias=False)
        self.first = Epilogue(outputs, latent, side)
        self.convolution = EqualisedConv2d(outputs, outputs, 3, bias=False)
        self.second = Epilogue(outputs, latent, side)

    def forward(self, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, 2H, 2W) by two latents (N, latent)."""
        x = self.first(blur(self.enlarging(enlarge(x))), first)
        styled: Tensor = self.second(self.convolution(x), second)
        return styled
