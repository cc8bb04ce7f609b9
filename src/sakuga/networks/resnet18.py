"""ResNet-18, which names what a picture shows (He, Zhang, Ren, Sun, CVPR 2016)."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn


class Classified(NamedTuple):
    """Raw scores (N, K) of the classes, and the last features (N, 8w, h, w) before they are averaged."""

    logits: Tensor
    features: Tensor


class ResNet18(nn.Module):
    """Eight blocks of two convolutions, an average over the picture, and one fully connected layer.

    11,689,512 parameters with 1,000 classes. Names and order of the weights are torchvision's, whose files load.

    Args:
        classes: their number, K.
        width: channels of the first layer, w; each of four stages doubles it.
        small: begin with a 3x3 convolution in place of a 7x7 one of stride 2 and a pooling, for pictures of 32 to 64
            pixels, as is usual for CIFAR.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1.
    """

    def __init__(self, classes: int, *, width: int = 64, small: bool = False):
        super().__init__()
        kernel, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(3, width, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.small = small
        for stage in range(4):
            out = width * 2**stage
            first = _Block(out // 2 if stage else out, out, stride=2 if stage else 1)
            self.add_module(f"layer{stage + 1}", nn.Sequential(first, _Block(out, out)))
        self.fc = nn.Linear(8 * width, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> Classified:
        """Classify pictures (N, 3, H, W); the range is what it was trained on, here [-1, 1]."""
        features = self.stages(image)[-1]
        return Classified(self.fc(features.mean((2, 3))), features)

    def stages(self, image: Tensor) -> list[Tensor]:
        """Return the features after the first convolution and after each of the four stages."""
        found = [F.relu(self.bn1(self.conv1(image)))]
        for stage in range(4):
            x = found[-1] if stage or self.small else F.max_pool2d(found[-1], 3, stride=2, padding=1)
            found.append(self.get_submodule(f"layer{stage + 1}")(x))
        return found


class _Block(nn.Module):
    """Two 3x3 convolutions with batch norm, added to their input, which a 1x1 convolution brings to their shape."""

    def __init__(self, channels: int, out: int, *, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample: nn.Module | None = None
        if stride > 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, out, H / stride, W / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + shortcut)
