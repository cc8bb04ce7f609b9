"""Bodies that enlarge by repeating pixels and halve by strided convolutions: the teaching code's for 32 pixels."""

from itertools import pairwise

from torch import Tensor, nn

from sakuga.networks.layers import init_normal

WIDTHS = (16, 32, 64, 128)


class ResizeGenerator(nn.Module):
    """Noise to a picture: a linear layer to a quarter of its side, twice repeated pixels and a 3×3 convolution.

    Batch norm before the first enlargement and, with leaky slope 0.2, after its convolutions; tanh. 1,049,985
    parameters for 32×32×1.

    Args:
        noise: numbers that a picture is made of.
        channels: of the picture.
        side: of the picture, a multiple of four.
        width: channels of the last layer but one; the layers before have twice as many.

    Source: the widely used teaching code of ACGAN and SGAN (PyTorch-GAN), whose 0.8 for batch norm's ε is a mistake;
    convolutions start from N(0, 0.02).
    """

    def __init__(self, noise: int = 100, *, channels: int = 1, side: int = 32, width: int = 64):
        super().__init__()
        self.side, wide = side // 4, 2 * width
        self.start = nn.Linear(noise, wide * self.side**2)
        self.body = nn.Sequential(
            nn.BatchNorm2d(wide),
            *_enlarged(wide, wide),
            *_enlarged(wide, width),
            nn.Conv2d(width, channels, 3, padding=1),
            nn.Tanh(),
        )
        init_normal(self)

    def forward(self, noise: Tensor) -> Tensor:
        """(N, noise) to (N, channels, side, side) in [-1, 1]."""
        picture: Tensor = self.body(self.start(noise).view(len(noise), -1, self.side, self.side))
        return picture


class StridedTrunk(nn.Module):
    """A picture to the features of a discriminator: four 3×3 convolutions of stride 2 with dropout.

    Leaky slope 0.2 and a quarter of the channels dropped after each, then batch norm, but for the first; 97,600
    parameters for one channel. With a side of 32 there are 4 · width · 2 = 512 features.

    Args:
        channels: of the picture.
        width: channels of the last layer but one; the last has twice as many.
        side: of the picture, a multiple of 16.

    Attributes:
        features: how many it makes.
    """

    def __init__(self, channels: int = 1, *, width: int = 64, side: int = 32):
        super().__init__()
        widths = [channels, *(width * part // WIDTHS[2] for part in WIDTHS)]
        layers: list[nn.Module] = []
        for place, (a, b) in enumerate(pairwise(widths)):
            layers += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25)]
            layers += [nn.BatchNorm2d(b)] if place else []
        self.body = nn.Sequential(*layers)
        self.features = widths[-1] * (side // 16) ** 2
        init_normal(self)

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, side, side) to (N, 2 width, side / 16, side / 16)."""
        features: Tensor = self.body(image)
        return features


def _enlarged(channels: int, out: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, out, 3, padding=1)
    return [nn.Upsample(scale_factor=2), convolution, nn.BatchNorm2d(out), nn.LeakyReLU(0.2)]
