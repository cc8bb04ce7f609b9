"""FSGAN's generator, a U-Net of residual blocks at two scales, and its discriminator (Nirkin et al., 2019)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.networks.layers import init_normal, reflected

MAX_WIDTH = 8
"""Most channels of a level, in those of the first layer at full size."""


class FSGANGenerator(nn.Module):
    """What is known of a face (N, channels, H, W) to the face (N, 3, H, W), sides multiples of 8.

    A U-Net at half size, whose levels have 2, 4 and 8 times the width, two residual blocks in each, and skips that are
    added; then an enhancer at full size. With width 128: 75,966,208 parameters for a picture and 98 landmarks,
    74,197,504 for two pictures and a mask, 74,141,056 for a picture and a mask; the official code has 37,632 more, as
    many as a last convolution of the U-Net's own has, for pictures of half size.

    Source: Nirkin, Keller, Hassner, "FSGAN: Subject Agnostic Face Swapping and Reenactment", ICCV 2019, section 3.2,
    sizes of the official code's second version, which has no segmentation head; weights start from N(0, 0.02).
    """

    multiple = 8

    def __init__(self, channels: int, *, width: int = 128):
        super().__init__()
        w = width
        self.start_coarse, self.start = _block(channels, 2 * w, kernel=7), _block(channels, w, kernel=7)
        self.coarse = _Level(2 * w, MAX_WIDTH * w)
        self.up = _block(2 * w, w)
        self.blocks = nn.Sequential(_Residual(w), _Residual(w))
        self.last = reflected(w, 3, 7, bias=False)
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Make the face."""
        small = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
        coarse = self.coarse(self.start_coarse(small))
        fine = self.blocks(self.start(x) + self.up(_doubled(coarse)))
        face: Tensor = torch.tanh(self.last(fine))
        return face


class MultiScaleDiscriminator(nn.Module):
    """Raw scores of patches of pictures (N, 3, H, W) at full and half size; 5,533,058 parameters.

    pix2pixHD's: C64-C128-C256-C512 of 4x4 convolutions continued by two pixels, batch norm after all but the first.
    Source: as the generator, official code; Wang et al. (pix2pixHD), CVPR 2018, section 3.2.
    """

    def __init__(self, *, width: int = 64):
        super().__init__()
        self.scales = nn.ModuleList(_judge(width) for _ in range(2))
        init_normal(self)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Score; no sigmoid."""
        half = F.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False)
        return [scale(view) for scale, view in zip(self.scales, (image, half), strict=True)]


class _Level(nn.Module):
    """x + up(inner(down(x))), then two residual blocks; the innermost level is these alone."""

    def __init__(self, channels: int, most: int):
        super().__init__()
        wider = min(2 * channels, most)
        self.inner: nn.Module | None = None
        if channels < most:
            self.inner = _Level(wider, most)
            self.down = nn.Sequential(_block(channels, wider, stride=2), _block(wider, wider))
            self.up = _block(wider, channels)
        self.blocks = nn.Sequential(_Residual(channels), _Residual(channels))

    def forward(self, x: Tensor) -> Tensor:
        if self.inner is not None:
            x = x + self.up(_doubled(self.inner(self.down(x))))
        result: Tensor = self.blocks(x)
        return result


class _Residual(nn.Module):
    """ReLU(x + BN(conv(ReLU(BN(conv(x))))))."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            _block(channels, channels), reflected(channels, channels, 3, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


def _block(channels: int, out: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    conv = reflected(channels, out, kernel, stride=stride, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def _judge(width: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, stride=2, padding=2), nn.LeakyReLU(0.2)]
    for i, stride in enumerate((2, 2, 1)):
        wide, wider = width * 2**i, width * 2 ** (i + 1)
        layers += [nn.Conv2d(wide, wider, 4, stride=stride, padding=2), nn.BatchNorm2d(wider), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, padding=2))
