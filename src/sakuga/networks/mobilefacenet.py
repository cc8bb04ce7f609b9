"""MobileFaceNet, a small face recogniser (Chen, Liu, Gao, Han, CCBR 2018)."""

import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 112
"""Of the pictures that it sees, pixels."""


class MobileFaceNet(nn.Module):
    """A face (N, 3, 112, 112) in [-1, 1] to a vector (N, size) of length 1; 1,200,512 parameters.

    Two pictures of one person have vectors that point the same way. Frozen, in eval mode, it keeps the person through a
    translation (`losses.face_id`).

    Source: Chen et al., "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices",
    CCBR 2018, table 1; order of the weights as in the widely used InsightFace port.
    """

    def __init__(self, size: int = 512):
        super().__init__()
        self.body = nn.Sequential(
            _conv(3, 64, 3, stride=2),
            _conv(64, 64, 3, groups=64),
            _Bottleneck(64, 64, 128, stride=2),
            *(_Bottleneck(64, 64, 128, residual=True) for _ in range(4)),
            _Bottleneck(64, 128, 256, stride=2),
            *(_Bottleneck(128, 128, 256, residual=True) for _ in range(6)),
            _Bottleneck(128, 128, 512, stride=2),
            *(_Bottleneck(128, 128, 256, residual=True) for _ in range(2)),
            _conv(128, 512, 1),
            _conv(512, 512, 7, groups=512, padding=0, active=False),
            nn.Flatten(),
            nn.Linear(512, size, bias=False),
            nn.BatchNorm1d(size),
        )

    def forward(self, face: Tensor) -> Tensor:
        """Embed faces."""
        return F.normalize(self.body(face))


class _Bottleneck(nn.Module):
    """1×1 convolution to `inner` channels, one 3×3 for each channel, 1×1 back without activation."""

    def __init__(self, channels: int, out: int, inner: int, *, stride: int = 1, residual: bool = False):
        super().__init__()
        self.residual = residual
        self.body = nn.Sequential(
            _conv(channels, inner, 1),
            _conv(inner, inner, 3, stride=stride, groups=inner),
            _conv(inner, out, 1, active=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, out, H / stride, W / stride)."""
        y: Tensor = self.body(x)
        return x + y if self.residual else y


def cut_face(image: Tensor) -> Tensor:
    """Cut what a face recogniser looks at out of portraits (N, 3, H, W) that were cropped as the paper's: 112×112."""
    height, width = image.shape[2:]
    top, bottom = round((0.8 - 0.33) * height / 2.1), round(height - 0.3 * height / 2.1)
    left = (width - (bottom - top)) // 2
    square = image[:, :, top:bottom, left : left + bottom - top]
    return F.interpolate(square, size=(SIDE, SIDE), mode="bilinear", align_corners=False)


def _conv(
    channels: int,
    out: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    padding: int | None = None,
    active: bool = True,
) -> nn.Sequential:
    around = kernel // 2 if padding is None else padding
    convolution = nn.Conv2d(channels, out, kernel, stride=stride, padding=around, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), *([nn.PReLU(out)] if active else []))
