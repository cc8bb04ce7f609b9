"""CycleGAN's generator: a residual network between two strided convolutions and their inverses."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.networks.layers import InstanceNorm, Upsample, enlarge, init_normal, reflected


class ResidualBlock(nn.Module):
    """x + IN(conv(ReLU(IN(conv(x))))), reflected 3×3 convolutions; no activation after the sum."""

    def __init__(self, channels: int, *, bias: bool = True, affine: bool = False):
        super().__init__()
        self.body = nn.Sequential(
            reflected(channels, channels, 3, bias=bias),
            InstanceNorm(channels, affine=affine),
            nn.ReLU(inplace=True),
            reflected(channels, channels, 3, bias=bias),
            InstanceNorm(channels, affine=affine),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = x + self.body(x)
        return y


class BlurPool(nn.Module):
    """Half the size, rounded up: every second pixel of the picture blurred by [1 2 1]ᵀ[1 2 1] / 16 and reflected.

    Source: Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.kernel: Tensor
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", torch.outer(row, row).expand(channels, 1, 3, 3).clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, ⌈H/2⌉, ⌈W/2⌉)."""
        return F.conv2d(F.pad(x, (1, 1, 1, 1), "reflect"), self.kernel, stride=2, groups=len(self.kernel))


class ResNetGenerator(nn.Module):
    """One domain to the other, (N, 3, H, W) in [-1, 1] to the same; 11,378,179 parameters with nine blocks.

    c7s1-64, d128, d256, R256 × `blocks`, u128, u64, c7s1-3, tanh; instance norm without affine parameters and ReLU
    after all but the last, which is why convolutions keep their biases. The two stride-2 stages round odd sizes up: an
    output is H and W rounded up to multiples of four. Sides must be five or more.

    Args:
        width: channels of the first layer.
        blocks: residual blocks; the paper's six for pictures of 128 pixels (7,837,699 parameters), nine from 256 on.
        upsample: the published `deconv`, or `resize` against checkerboards; the number of parameters is the same.
        antialias: CUT's variant, of as many parameters: the convolutions on the way down keep the size and `BlurPool`
            halves it after them, bilinear enlarging doubles it before those on the way up; `upsample` is not used.
        affine: norms with gains and biases, which the paper's have not.
        channels: of the input, more than three where other maps come with the picture.

    Raises:
        ValueError: an unknown `upsample`.

    Source: Zhu, Park, Isola, Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
    ICCV 2017, appendix 7.2; weights start from N(0, 0.02). Park, Efros, Zhang, Zhu, "Contrastive Learning for Unpaired
    Image-to-Image Translation", ECCV 2020, official code, for `antialias`.
    """

    multiple = 4
    receptive_field = 0  # instance norm sees the whole picture

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: int = 9,
        upsample: Upsample = "deconv",
        antialias: bool = False,
        affine: bool = False,
        channels: int = 3,
    ):
        super().__init__()

        def normed(*layers: nn.Module, channels: int) -> list[nn.Module]:
            return [*layers, InstanceNorm(channels, affine=affine), nn.ReLU(inplace=True)]

        def down(channels: int) -> list[nn.Module]:
            wide = 2 * channels
            conv = nn.Conv2d(channels, wide, 3, stride=1 if antialias else 2, padding=1)
            return [*normed(conv, channels=wide), *([BlurPool(wide)] if antialias else [])]

        def up(channels: int) -> list[nn.Module]:
            half = channels // 2
            if antialias:
                twice = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
                return normed(twice, nn.Conv2d(channels, half, 3, padding=1), channels=half)
            return normed(*enlarge(channels, half, upsample), channels=half)

        self.body = nn.Sequential(
            *normed(reflected(channels, width, 7), channels=width),
            *down(width),
            *down(2 * width),
            *(ResidualBlock(4 * width, affine=affine) for _ in range(blocks)),
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
