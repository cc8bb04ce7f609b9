"""StarGAN's generator and discriminator; RelGAN's generator is the same with other norms."""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from sakuga.networks.layers import InstanceNorm
from sakuga.networks.switch_norm import SwitchNorm

Norm = Literal["instance", "switch"]


class StarGANGenerator(nn.Module):
    """A picture and K numbers to a picture; 8,430,528 parameters for five labels.

    Every number becomes a plane beside the three colours. c7s1-64, d128, d256, R256 × `blocks`, u128, u64, c7s1-3,
    tanh; 4×4 convolutions on the way down and transposed ones up, ReLU, nothing after a block's sum. Borders are
    continued by zeros: of a plane that is the same everywhere, the norms leave what is seen at its borders.

    Args:
        labels: K.
        width: channels of the first layer.
        blocks: residual ones.
        norm: `instance` with gains and no biases before them (StarGAN), or `switch`, with biases and weights that start
            as He et al.'s (RelGAN; 8,471,977 parameters for 17 attributes).

    Source: Choi et al., "StarGAN", CVPR 2018, table 4, and the official code, whose norms keep running statistics that
    it never uses; Wu et al., "RelGAN", ICCV 2019, and its official code.
    """

    multiple = 4

    def __init__(self, labels: int = 5, *, width: int = 64, blocks: int = 6, norm: Norm = "instance"):
        super().__init__()
        bias = norm == "switch"

        def normed(convolution: nn.Conv2d | nn.ConvTranspose2d, *after: nn.Module) -> list[nn.Module]:
            channels = convolution.out_channels
            return [convolution, SwitchNorm(channels) if bias else InstanceNorm(channels, affine=True), *after]

        def block(channels: int) -> "Residual":
            first, second = (nn.Conv2d(channels, channels, 3, padding=1, bias=bias) for _ in range(2))
            return Residual(*normed(first, nn.ReLU()), *normed(second))

        def scaled(kind: type[nn.Conv2d | nn.ConvTranspose2d], channels: int, out: int) -> list[nn.Module]:
            return normed(kind(channels, out, 4, stride=2, padding=1, bias=bias), nn.ReLU())

        self.body = nn.Sequential(
            *normed(nn.Conv2d(3 + labels, width, 7, padding=3, bias=bias), nn.ReLU()),
            *scaled(nn.Conv2d, width, 2 * width),
            *scaled(nn.Conv2d, 2 * width, 4 * width),
            *(block(4 * width) for _ in range(blocks)),
            *scaled(nn.ConvTranspose2d, 4 * width, 2 * width),
            *scaled(nn.ConvTranspose2d, 2 * width, width),
            nn.Conv2d(width, 3, 7, padding=3, bias=bias),
            nn.Tanh(),
        )
        if norm == "switch":
            init_he(self)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """(N, 3, H, W) in [-1, 1], sides multiples of four, and (N, K), to pictures of the same size."""
        planes = label[:, :, None, None].to(image.dtype).expand(-1, -1, *image.shape[2:])
        result: Tensor = self.body(torch.cat([image, planes], 1))
        return result


class Residual(nn.Module):
    """x plus what its layers make of x."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = x + self.body(x)
        return y


class StarGANDiscriminator(nn.Module):
    """A picture to scores of its patches and to its labels; 44,762,048 parameters for five labels at 128 pixels.

    `layers` 4×4 convolutions of stride 2, of 64 channels and twice as many each, leaky slope 0.01, no norm; then a 3×3
    convolution to the scores, and one over all that is left to the labels' logits, both without bias.

    Args:
        labels: K.
        side: of the pictures, a multiple of 2^layers.
        width: channels of the first layer.
        layers: how often the picture is halved.

    Raises:
        ValueError: the side is no such multiple.

    Source: Choi et al., CVPR 2018, table 5, and the official code.
    """

    def __init__(self, labels: int = 5, *, side: int = 128, width: int = 64, layers: int = 6):
        super().__init__()
        if side % 2**layers:
            raise ValueError(f"side must be a multiple of {2**layers}, not {side}")
        self.trunk = halving_trunk(width, layers)
        channels = width * 2 ** (layers - 1)
        self.source = nn.Conv2d(channels, 1, 3, padding=1, bias=False)
        self.classes = nn.Conv2d(channels, labels, side // 2**layers, bias=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, side, side) to raw scores (N, 1, side / 2^layers, the same) and logits (N, K)."""
        features = self.trunk(image)
        return self.source(features), self.classes(features).flatten(1)


def halving_trunk(width: int, layers: int) -> nn.Sequential:
    """4×4 convolutions of stride 2 from a picture on, each of twice as many channels, leaky slope 0.01, no norm."""
    widths = [3, *(width * 2**i for i in range(layers))]
    parts: list[nn.Module] = []
    for channels, out in pairwise(widths):
        parts += [nn.Conv2d(channels, out, 4, stride=2, padding=1), nn.LeakyReLU(0.01)]
    return nn.Sequential(*parts)


def init_he(network: nn.Module) -> None:
    """Start convolutions and linear layers from N(0, 2 / fan_in), biases from 0.

    Source: He, Zhang, Ren, Sun, ICCV 2015, equation 10.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
