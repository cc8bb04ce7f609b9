"""CycleGAN's generator: a residual network between two strided convolutions and their inverses."""

from torch import Tensor, nn

from sakuga.networks.layers import Upsample, enlarge, init_normal, reflected


class ResidualBlock(nn.Module):
    """x + IN(conv(ReLU(IN(conv(x))))), reflected 3×3 convolutions; no activation after the sum."""

    def __init__(self, channels: int, *, bias: bool = True):
        super().__init__()
        self.body = nn.Sequential(
            reflected(channels, channels, 3, bias=bias),
            nn.InstanceNorm2d(channels),
            nn.ReLU(inplace=True),
            reflected(channels, channels, 3, bias=bias),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = x + self.body(x)
        return y


class ResNetGenerator(nn.Module):
    """One domain to the other, (N, 3, H, W) in [-1, 1] to the same; 11,378,179 parameters with nine blocks.

    c7s1-64, d128, d256, R256 × `blocks`, u128, u64, c7s1-3, tanh; instance norm without affine parameters and ReLU
    after all but the last, which is why convolutions keep their biases. The two stride-2 stages round odd sizes up: an
    output is H and W rounded up to multiples of four. Sides must be five or more.

    Args:
        width: channels of the first layer.
        blocks: residual blocks; the paper's six for pictures of 128 pixels (7,837,699 parameters), nine from 256 on.
        upsample: the published `deconv`, or `resize` against checkerboards; the number of parameters is the same.

    Raises:
        ValueError: an unknown `upsample`.

    Source: Zhu, Park, Isola, Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
    ICCV 2017, appendix 7.2; weights start from N(0, 0.02).
    """

    multiple = 4
    receptive_field = 0  # instance norm sees the whole picture

    def __init__(self, *, width: int = 64, blocks: int = 9, upsample: Upsample = "deconv"):
        super().__init__()

        def normed(*layers: nn.Module, channels: int) -> list[nn.Module]:
            return [*layers, nn.InstanceNorm2d(channels), nn.ReLU(inplace=True)]

        def down(channels: int) -> list[nn.Module]:
            return normed(nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1), channels=2 * channels)

        def up(channels: int) -> list[nn.Module]:
            return normed(*enlarge(channels, channels // 2, upsample), channels=channels // 2)

        self.body = nn.Sequential(
            *normed(reflected(3, width, 7), channels=width),
            *down(width),
            *down(2 * width),
            *(ResidualBlock(4 * width) for _ in range(blocks)),
            *up(4 * width),
            *up(2 * width),
            reflected(width, 3, 7),
            nn.Tanh(),
        )
        init_normal(self)

    def forward(self, image: Tensor) -> Tensor:
        """Translate."""
        translated: Tensor = self.body(image)
        return translated
