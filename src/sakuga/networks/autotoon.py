"""AutoToon's network, which sees how to exaggerate a face, and the warp that does it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MEAN, STD = (0.5072, 0.4338, 0.3847), (0.0846, 0.0753, 0.0727)
"""Of the photos' channels in [0, 1], as the official code has them."""
SCALE = 0.01
"""What the last layer's values are multiplied by, so that a training begins with hardly any warp."""


class Warper(nn.Module):
    """A face (N, 3, H, W) in [-1, 1] to a warp (N, 2, H/8, W/8), displacements x, y in units of half the picture.

    SENet-50 up to its second stage and a 1x1 convolution: 1,604,594 parameters. Sides are multiples of 8. Layers are
    called as in the PyTorch conversions of VGGFace2's SENet-50, whose weights fit by their names. `width` is 64 there;
    a narrower network suffices for few pairs.

    Source: Gong, Hold-Geoffroy, Lu, "AutoToon: Automatic Geometric Warping for Face Cartoon Generation", WACV 2020;
    Hu, Shen, Sun, "Squeeze-and-Excitation Networks", CVPR 2018. Strides lie on the first convolution of a block, as in
    Caffe's ResNet-50.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = _stage(width, width, count=3, stride=1)
        self.layer2 = _stage(4 * width, 2 * width, count=4, stride=2)
        self.head = nn.Conv2d(8 * width, 2, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return the warp."""
        x = F.relu(self.bn1(self.conv1(self.normalise(image))))
        x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)
        warp: Tensor = self.head(self.layer2(self.layer1(x))) * SCALE
        return warp

    def normalise(self, image: Tensor) -> Tensor:
        """Give pictures in [-1, 1] about mean 0 and deviation 1 in every channel."""
        return (image / 2 + 0.5 - self.mean) / self.std


def _stage(channels: int, width: int, *, count: int, stride: int) -> nn.Sequential:
    following = (_Bottleneck(4 * width, width, 1) for _ in range(count - 1))
    return nn.Sequential(_Bottleneck(channels, width, stride), *following)


class _Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution with batch norm, weighed channel by channel, added to the input."""

    def __init__(self, channels: int, width: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, stride=stride, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.se = _SqueezeExcite(4 * width)
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels, 4 * width, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * width))
            if channels != 4 * width
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.se(self.bn3(self.conv3(y))) + self.downsample(x))


class _SqueezeExcite(nn.Module):
    """Multiplies each channel by what two layers make of the means of all."""

    def __init__(self, channels: int, reduction: int = 16):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))))
        return x * weight


def enlarge_warp(warp: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring a warp (N, 2, h, w) to the size (H, W) of a picture; its corners stay where they are."""
    return F.interpolate(warp, size=size, mode="bilinear", align_corners=True)


def warp_picture(image: Tensor, warp: Tensor, *, mode: str = "bilinear") -> Tensor:
    """Return out(p) = image(p + warp(p)), both (N, ., H, W); x and y of the warp in units of half the picture.

    The corners' centres are at -1 and 1; what lies outside is the border's. Without a warp it is the picture itself.
    """
    height, width = image.shape[2:]
    x = torch.arange(width, device=image.device, dtype=image.dtype) * (2 / (width - 1)) - 1
    y = torch.arange(height, device=image.device, dtype=image.dtype) * (2 / (height - 1)) - 1
    grid = warp.permute(0, 2, 3, 1) + torch.stack([x.expand(height, width), y[:, None].expand(height, width)], -1)
    return F.grid_sample(image, grid, mode=mode, padding_mode="border", align_corners=True)


def at_side(image: Tensor, side: int) -> Tensor:
    """Scale a picture (N, 3, H, W) of about a square to (N, 3, side, side), for a network of fixed size to look at."""
    # Enlarged before it is averaged, so that a large picture is reduced without leaving pixels out.
    large = F.interpolate(image, size=(4 * side, 4 * side), mode="bilinear", align_corners=False)
    return F.avg_pool2d(large, 4)


class Caricature(nn.Module):
    """Exaggerates a face in a square: the warp is seen at a fixed side and done at that of the picture.

    `warper`: what sees the warp. `side`: at which, pixels. `gain`: times what it sees that an exaggeration of 1 is. The
    warp fades to nothing over an eighth of the square at each edge, so that a face fits into the picture around it.
    """

    EDGE = 1 / 8

    def __init__(self, warper: nn.Module, side: int, gain: float = 1.0):
        super().__init__()
        self.warper, self.side, self.gain = warper, side, gain

    def forward(self, image: Tensor, exaggeration: Tensor) -> Tensor:
        """Warp (N, 3, H, W) in [-1, 1]; an exaggeration (N,) of 0 is the photo, 1 as learned, times the gain."""
        warp = self.warper(at_side(image, self.side)) * (self.gain * exaggeration.view(-1, 1, 1, 1))
        height, width = image.shape[2:]
        warp = enlarge_warp(warp, (height, width)) * self._window(height, image)[:, None] * self._window(width, image)
        return warp_picture(image, warp, mode="bicubic")

    def _window(self, length: int, like: Tensor) -> Tensor:
        place = torch.arange(length, device=like.device, dtype=like.dtype) / (length - 1)
        depth = (torch.minimum(place, 1 - place) / self.EDGE).clamp(0, 1)
        return depth * depth * (3 - 2 * depth)
