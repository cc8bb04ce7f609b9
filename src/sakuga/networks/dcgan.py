"""DCGAN's generator and discriminator, the bodies of many systems from noise (Radford, Metz, Chintala, ICLR 2016)."""

from itertools import pairwise

from torch import Tensor, nn

from sakuga.networks.layers import init_normal


def widths(width: int, side: int) -> list[int]:
    """Channels at side / 2, side / 4, ..., 4: from `width` on they double, up to eight times of it.

    Raises:
        ValueError: `side` is no power of two, or less than 8.
    """
    if side < 8 or side & (side - 1):
        raise ValueError(f"side must be a power of two, 8 or more, not {side}")
    return [width * min(2**i, 8) for i in range(side.bit_length() - 3)]


class DCGANGenerator(nn.Module):
    """Noise to a picture: transposed 4×4 convolutions from 4×4 on, each twice as wide and tall; 3,576,704 parameters.

    Batch norm and ReLU after all but the last, which ends in tanh; no biases.

    Args:
        noise: numbers that a picture is made of.
        channels: of the picture.
        width: channels before the last layer.
        side: of the picture, a power of two.

    Source: Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative
    Adversarial Networks", ICLR 2016, figure 1; weights start from N(0, 0.02).
    """

    def __init__(self, noise: int = 100, *, channels: int = 3, width: int = 64, side: int = 64):
        super().__init__()
        layers = widths(width, side)[::-1]
        blocks = [_block(nn.ConvTranspose2d(noise, layers[0], 4, bias=False))]
        blocks += [_block(nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False)) for a, b in pairwise(layers)]
        last = nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1, bias=False)
        self.body = nn.Sequential(*blocks, last, nn.Tanh())
        init_normal(self)

    def forward(self, noise: Tensor) -> Tensor:
        """(N, noise) to (N, channels, side, side) in [-1, 1]."""
        picture: Tensor = self.body(noise[:, :, None, None])
        return picture


class DCGANDiscriminator(nn.Module):
    """A picture to a raw score: 4×4 convolutions of stride 2 down to 4×4, then one over all that; 2,765,568 parameters.

    Leaky slope 0.2 and batch norm after all but the first and the last; no biases. Arguments as the generator's.
    """

    def __init__(self, channels: int = 3, *, width: int = 64, side: int = 64):
        super().__init__()
        layers, features = trunk(channels, width=width, side=side)
        self.body = nn.Sequential(*layers, *score_head(features))
        init_normal(self)

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, side, side) to (N, 1); no sigmoid."""
        score: Tensor = self.body(image)
        return score


def trunk(channels: int, *, width: int, side: int) -> tuple[list[nn.Module], int]:
    """Return the discriminator's layers from a picture to features of 4×4 places, and how many channels these have."""
    layers = widths(width, side)
    blocks: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=False), nn.LeakyReLU(0.2)]
    for a, b in pairwise(layers):
        blocks += [nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]
    return blocks, layers[-1]


def score_head(features: int) -> nn.Sequential:
    """Return the last layer: features of 4×4 places to a raw score (N, 1)."""
    return nn.Sequential(nn.Conv2d(features, 1, 4, bias=False), nn.Flatten())


def _block(convolution: nn.ConvTranspose2d) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU())
