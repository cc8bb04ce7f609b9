"""MUNIT's networks: a picture as its content and its style, and discriminators at several sizes (ECCV 2018)."""

from itertools import pairwise
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.networks.layers import InstanceNorm, init_normal, instance_norm, reflected
from sakuga.networks.resnet import ResidualBlock

HIDDEN = 256
"""Units of the layers that turn a style into gains and biases."""


class Coded(NamedTuple):
    """What a picture shows, features (N, 4w, H/4, W/4), and how, a style (N, S)."""

    content: Tensor
    style: Tensor


class MUNITEncoder(nn.Module):
    """A picture (N, 3, H, W) to content and style; 5,385,856 and 2,764,936 parameters.

    Content: c7s1-64, d128, d256 and four residual blocks, with instance norms, which take the style away. Style:
    c7s1-64, d128, d256, d256, d256 without norms, the mean over the picture, and a linear layer to eight numbers.
    Strided convolutions have 4×4 kernels; all continue the picture by reflection. Sides are multiples of 4 from 20 on.

    Source: Huang, Liu, Belongie, Kautz, "Multimodal Unsupervised Image-to-Image Translation", ECCV 2018, appendix B.2.
    """

    def __init__(self, *, width: int = 64, style: int = 8, blocks: int = 4):
        super().__init__()
        w = width
        self.content = nn.Sequential(
            *_normed(reflected(3, w, 7), w),
            *_normed(_down(w, 2 * w), 2 * w),
            *_normed(_down(2 * w, 4 * w), 4 * w),
            *(ResidualBlock(4 * w) for _ in range(blocks)),
        )
        layers: list[nn.Module] = [reflected(3, w, 7), nn.ReLU(inplace=True)]
        for a, b in pairwise((w, 2 * w, 4 * w, 4 * w, 4 * w)):
            layers += [_down(a, b), nn.ReLU(inplace=True)]
        self.style = nn.Sequential(*layers)
        self.numbers = nn.Linear(4 * w, style)
        init_kaiming(self)

    def forward(self, image: Tensor) -> Coded:
        """Encode."""
        return Coded(self.content(image), self.numbers(self.style(image).mean((2, 3))))


class MUNITDecoder(nn.Module):
    """Content (N, 4w, h, w) and style (N, S) to a picture (N, 3, 4h, 4w) in [-1, 1]; 6,875,395 parameters.

    Four residual blocks whose norms take gains and biases from the style, by two hidden layers of 256 units; u128 and
    u64, repetition and a 5×5 convolution with layer norm; c7s1-3, tanh. Source: as the encoder.
    """

    def __init__(self, *, width: int = 64, style: int = 8, blocks: int = 4):
        super().__init__()
        w = width
        self.mlp = nn.Sequential(
            nn.Linear(style, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Linear(HIDDEN, blocks * 4 * 4 * w),
        )
        self.blocks = nn.ModuleList(_StyledBlock(4 * w) for _ in range(blocks))
        layers: list[nn.Module] = []
        for a, b in pairwise((4 * w, 2 * w, w)):
            layers += [nn.Upsample(scale_factor=2), reflected(a, b, 5), nn.GroupNorm(1, b), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, reflected(w, 3, 7), nn.Tanh())
        init_kaiming(self)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """Decode."""
        x = content
        for block, numbers in zip(self.blocks, self.mlp(style).chunk(len(self.blocks), 1), strict=True):
            x = block(x, numbers)
        picture: Tensor = self.body(x)
        return picture


class MUNITDiscriminator(nn.Module):
    """Pictures to raw scores of patches, at full, half and a quarter of the size; 8,271,171 parameters.

    Each: 64, 128, 256, 512 channels by 4×4 convolutions of stride 2 without norms, then one of 1×1. Sides from 64 on.
    Source: as the encoder.
    """

    def __init__(self, *, width: int = 64, scales: int = 3):
        super().__init__()
        self.scales = nn.ModuleList()
        for _ in range(scales):
            layers: list[nn.Module] = []
            for a, b in pairwise((3, width, 2 * width, 4 * width, 8 * width)):
                layers += [_down(a, b), nn.LeakyReLU(0.2, inplace=True)]
            self.scales.append(nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 1)))
        init_normal(self)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Score; no sigmoid."""
        scores = []
        for scale in self.scales:
            scores.append(scale(image))
            image = F.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False)
        return scores


class _StyledBlock(nn.Module):
    """x + AdaIN(conv(ReLU(AdaIN(conv(x))))), with gains and biases (N, 4C) of the style."""

    def __init__(self, channels: int):
        super().__init__()
        self.first, self.second = reflected(channels, channels, 3), reflected(channels, channels, 3)

    def forward(self, x: Tensor, numbers: Tensor) -> Tensor:
        bias, gain, last_bias, last_gain = numbers[..., None, None].chunk(4, 1)
        y = F.relu(gain * instance_norm(self.first(x)) + bias)
        result: Tensor = x + last_gain * instance_norm(self.second(y)) + last_bias
        return result


def init_kaiming(network: nn.Module) -> None:
    """Start as MUNIT's generators do: weights by He's rule, biases 0."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _down(channels: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 4, stride=2, padding=1, padding_mode="reflect")


def _normed(layer: nn.Module, channels: int) -> list[nn.Module]:
    return [layer, InstanceNorm(channels), nn.ReLU(inplace=True)]
