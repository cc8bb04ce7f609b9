"""RelGAN's discriminator: one trunk, three heads. Its generator is StarGAN's with switchable norms."""

import torch
from torch import Tensor, nn

from sakuga.networks.stargan import halving_trunk, init_he


class Match(nn.Module):
    """Whether v leads from one picture to another, by the features of both: two 1×1 convolutions."""

    def __init__(self, channels: int, attributes: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(2 * channels + attributes, channels, 1), nn.LeakyReLU(0.01), nn.Conv2d(channels, 1, 1)
        )

    def forward(self, source: Tensor, vector: Tensor, target: Tensor) -> Tensor:
        """Features (N, C, h, w), relative attributes (N, n) and features to scores (N, 1, h, w)."""
        planes = vector[:, :, None, None].to(source.dtype).expand(-1, -1, *source.shape[2:])
        scores: Tensor = self.body(torch.cat([source, target, planes], 1))
        return scores


class RelGANDiscriminator(nn.Module):
    """A picture to whether it is real, how far it is from the ends of its edit, and features; 53,165,010 parameters.

    `layers` 4×4 convolutions of stride 2 from 64 channels on, leaky slope 0.01, no norm: (N, 2048, 4, 4) of 256 pixels.
    Heads are 1×1 convolutions: to one score for each place; to 16 channels, whose mean over channels and places is the
    degree of interpolation; and `match`, on the features of two pictures.

    Args:
        attributes: n.
        width: channels of the first layer.
        layers: how often the picture is halved.

    Source: Wu, Lin, Chang, Chang, "RelGAN: Multi-Domain Image-to-Image Translation via Relative Attributes", ICCV 2019,
    section 4; sixteen channels as in the second author's code. Weights start as in the official one, as He et al.'s.
    """

    def __init__(self, attributes: int = 17, *, width: int = 64, layers: int = 6):
        super().__init__()
        channels = width * 2 ** (layers - 1)
        self.trunk = halving_trunk(width, layers)
        self.real = nn.Conv2d(channels, 1, 1)
        self.interpolation = nn.Conv2d(channels, 16, 1)
        self.match = Match(channels, attributes)
        init_he(self)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, 3, H, W), sides multiples of 2^layers, to scores (N, 1, h, w), degrees (N,) and features (N, C, h, w)."""
        features = self.trunk(image)
        return self.real(features), self.interpolation(features).mean((1, 2, 3)), features
