"""The generator and discriminator of CartoonGAN (Chen, Lai, Liu, CVPR 2018)."""

from torch import Tensor, nn

from sakuga.networks.layers import InstanceNorm, Upsample, enlarge, init_normal


class ResidualBlock(nn.Module):
    """Two reflected 3×3 convolutions with instance norm, one activation between them, and the identity."""

    def __init__(self, channels: int, eps: float):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect"),
            InstanceNorm(channels, eps=eps, affine=True),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect"),
            InstanceNorm(channels, eps=eps, affine=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = x + self.body(x)
        return y


class CartoonGANGenerator(nn.Module):
    """Photo to cartoon, (N, 3, H, W) in [-1, 1] to the same; 11,129,667 parameters.

    Two convolutions share each norm on the way down and up, with no activation between them. The two stride-2 stages
    round odd sizes up: an output is H and W rounded up to multiples of four. Instance norm is affine with the biased
    variance and eps 1e-9, as in the released weights, which see and paint BGR pictures: `bgr=True` reverses the
    channels at both ends.

    Source: Chen, Lai, Liu, "CartoonGAN: Generative Adversarial Networks for Photo Cartoonization", CVPR 2018, figure 2,
    and the layer list of the released weights.

    Args:
        width: channels of the first layer.
        blocks: residual blocks.
        bgr: whether the weights are for BGR pictures.
        eps: of the instance norms.
        upsample: how it enlarges, as published or by resizing first (see `enlarge`); the same parameters.
    """

    multiple = 4
    receptive_field = 0  # instance norm measures the whole picture

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: int = 8,
        bgr: bool = False,
        eps: float = 1e-9,
        upsample: Upsample = "deconv",
    ):
        super().__init__()
        self.bgr = bgr

        def normed(*layers: nn.Module, channels: int) -> list[nn.Module]:
            return [*layers, InstanceNorm(channels, eps=eps, affine=True), nn.ReLU(inplace=True)]

        def down(channels: int) -> list[nn.Module]:
            wide = 2 * channels
            return normed(
                nn.Conv2d(channels, wide, 3, stride=2, padding=1), nn.Conv2d(wide, wide, 3, padding=1), channels=wide
            )

        def up(channels: int) -> list[nn.Module]:
            half = channels // 2
            return normed(
                *enlarge(channels, half, upsample),
                nn.Conv2d(half, half, 3, padding=1),
                channels=half,
            )

        self.body = nn.Sequential(
            *normed(nn.Conv2d(3, width, 7, padding=3, padding_mode="reflect"), channels=width),
            *down(width),
            *down(2 * width),
            *(ResidualBlock(4 * width, eps) for _ in range(blocks)),
            *up(4 * width),
            *up(2 * width),
            nn.Conv2d(width, 3, 7, padding=3, padding_mode="reflect"),
            nn.Tanh(),
        )
        init_normal(self)

    def forward(self, image: Tensor) -> Tensor:
        """Stylise (N, 3, H, W) in [-1, 1]."""
        stylised: Tensor = self.body(image.flip(1)).flip(1) if self.bgr else self.body(image)
        return stylised


class CartoonGANDiscriminator(nn.Module):
    """Patch scores (N, 1, H/4, W/4) of an image (N, 3, H, W); 1,129,665 parameters.

    Source: as the generator; widths 32, 64, 128, 256, every kernel 3×3 with padding 1, leaky slope 0.2.
    """

    def __init__(self, *, width: int = 32):
        super().__init__()

        def conv(i: int, o: int, *, stride: int = 1, norm: bool) -> list[nn.Module]:
            layers: list[nn.Module] = [nn.Conv2d(i, o, 3, stride=stride, padding=1)]
            if norm:
                layers.append(InstanceNorm(o, affine=True))
            return [*layers, nn.LeakyReLU(0.2, inplace=True)]

        self.body = nn.Sequential(
            *conv(3, width, norm=False),
            *conv(width, 2 * width, stride=2, norm=False),
            *conv(2 * width, 4 * width, norm=True),
            *conv(4 * width, 4 * width, stride=2, norm=False),
            *conv(4 * width, 8 * width, norm=True),
            *conv(8 * width, 8 * width, norm=True),
            nn.Conv2d(8 * width, 1, 3, padding=1),
        )
        init_normal(self)

    def forward(self, image: Tensor) -> Tensor:
        """Score every patch; no sigmoid."""
        scores: Tensor = self.body(image)
        return scores
