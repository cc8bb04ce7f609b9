"""The image transformation network of Johnson, Alahi, Fei-Fei (ECCV 2016)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.networks.layers import InstanceNorm


class _Residual(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(*_conv(channels, channels, 3), nn.ReLU(inplace=True), *_conv(channels, channels, 3))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.body(x)
        return y


class _Up(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2.0, mode="nearest")


class TransformNet(nn.Module):
    """Photo to painting, (N, 3, H, W) in [-1, 1] to the same; 1,679,235 parameters.

    c9s1-32, d64, d128, five residual blocks of 128, u64, u32, c9s1-3; instance norm (affine) and ReLU after all but
    the last. Reflection padding at every convolution and nearest upsampling before a convolution, as in the PyTorch
    examples, instead of one large padding and transposed convolutions: no checkerboard. The output is tanh, the
    paper's range. Sides must be multiples of four.

    Args:
        bounded: end in tanh; without, as the PyTorch examples' network does, the output may leave [-1, 1].

    Source: Johnson et al., supplementary table 1; Odena et al. (2016) for the upsampling.
    """

    multiple = 4
    receptive_field = 0  # instance norm sees the whole picture

    def __init__(self, *, bounded: bool = True) -> None:
        super().__init__()
        self.bounded = bounded
        relu = nn.ReLU(inplace=True)
        self.body = nn.Sequential(
            *_conv(3, 32, 9),
            relu,
            *_conv(32, 64, 3, stride=2),
            relu,
            *_conv(64, 128, 3, stride=2),
            relu,
            *(_Residual(128) for _ in range(5)),
            _Up(),
            *_conv(128, 64, 3),
            relu,
            _Up(),
            *_conv(64, 32, 3),
            relu,
            nn.Conv2d(32, 3, 9, padding=4, padding_mode="reflect"),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Paint."""
        stylized: Tensor = self.body(image)
        return torch.tanh(stylized) if self.bounded else stylized


def _conv(i: int, o: int, kernel: int, *, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(i, o, kernel, stride=stride, padding=kernel // 2, padding_mode="reflect"),
        InstanceNorm(o, affine=True),
    ]
