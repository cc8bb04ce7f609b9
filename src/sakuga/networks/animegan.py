"""The networks of AnimeGAN (Chen, Liu, Chen, ISICA 2019) and of AnimeGANv2 (2020)."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from sakuga.networks.layers import InstanceNorm

Norm = Callable[[int], nn.Module]


def affine_norm(channels: int, *, eps: float = 1e-5) -> nn.Module:
    """Instance norm, each channel of each picture by itself, with a gain and a bias per channel."""
    return InstanceNorm(channels, eps=eps, affine=True)


def layer_norm(channels: int) -> nn.Module:
    """Layer norm over (C, H, W) of each picture, with a gain and a bias per channel."""
    return nn.GroupNorm(1, channels)


def conv(i: int, o: int, kernel: int = 3, *, stride: int = 1, groups: int = 1, bias: bool = False) -> list[nn.Module]:
    """A convolution that keeps, or with stride 2 halves, the size; outside, the picture is reflected.

    As published, stride 2 reflects one row at the bottom and one column at the right only: odd sizes are rounded down.
    """
    border = (0, 1, 0, 1) if stride == 2 else (kernel // 2,) * 4
    reflect = [nn.ReflectionPad2d(border)] if kernel > 1 else []
    return [*reflect, nn.Conv2d(i, o, kernel, stride=stride, groups=groups, bias=bias)]


def active(*layers: nn.Module, channels: int, norm: Norm) -> nn.Sequential:
    """Layers, one norm for all of them, and the leaky ReLU."""
    return nn.Sequential(*layers, norm(channels), nn.LeakyReLU(0.2, inplace=True))


def up() -> nn.Module:
    """Bilinear ×2 between pixel centres.

    TensorFlow 1, in which the papers' codes are written, lays the first pixels of both grids on one another, which
    moves the picture by half a pixel a stage. Between centres nothing moves; and with a fixed factor the weights of a
    pixel do not depend on the size of the picture, as they do with `align_corners=True`: tiles agree with the whole.
    """
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)


class InvertedResidual(nn.Module):
    """1×1 to twice the channels, 3×3 on each of them, 1×1 back without activation; plus the input where it fits.

    Source: Sandler et al., "MobileNetV2", CVPR 2018.
    """

    def __init__(self, i: int, o: int, *, norm: Norm, bias: bool = False):
        super().__init__()
        wide = 2 * i
        self.residual = i == o
        self.body = nn.Sequential(
            active(*conv(i, wide, 1), channels=wide, norm=norm),
            active(*conv(wide, wide, groups=wide, bias=bias), channels=wide, norm=norm),
            *conv(wide, o, 1),
            norm(o),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, i, H, W) to (N, o, H, W)."""
        y: Tensor = self.body(x)
        return x + y if self.residual else y


def _separable(i: int, o: int, *, stride: int = 1) -> nn.Sequential:
    """Depthwise 3×3 and pointwise 1×1, one norm, whose ε is 1e-6 in the official code, and activation for both."""
    norm = partial(affine_norm, eps=1e-6)
    return active(*conv(i, i, stride=stride, groups=i), *conv(i, o, 1), channels=o, norm=norm)


class _Down(nn.Module):
    """Half the size by two ways, added: a strided separable convolution, and one of the picture at half size."""

    def __init__(self, i: int, o: int):
        super().__init__()
        self.strided = _separable(i, o, stride=2)
        self.resized = _separable(i, o)

    def forward(self, x: Tensor) -> Tensor:
        half = F.avg_pool2d(x, 2)  # bilinear ×½ between pixel centres is the mean of 2×2
        y: Tensor = self.strided(x) + self.resized(half)
        return y


class AnimeGANGenerator(nn.Module):
    """Photo to anime, (N, 3, H, W) in [-1, 1] to the same; 3,956,096 parameters.

    Depthwise separable convolutions on the way down and up, eight inverted residual blocks between them; instance norm
    and leaky ReLU 0.2 after each, no biases, reflection at the borders. A size that is no multiple of four comes out
    rounded down to one; sides must be 8 or more. Weights start Xavier-uniform, the blocks' depthwise ones from
    N(0, 0.02) cut at 2 σ.

    Source: Chen, Liu, Chen, "AnimeGAN: A Novel Lightweight GAN for Photo Animation", ISICA 2019, figure 2, and the
    official code, which differs in two places: the last upsampling stage has 128 channels where the figure has 64
    (kept here: the published number of parameters asks for it), and its resizing is shifted by half a pixel (`up`).

    Args:
        width: channels of the first layer; 4 · `width` in the middle.
        blocks: inverted residual blocks.
    """

    multiple = 4
    receptive_field = 0  # instance norm sees the whole picture

    def __init__(self, *, width: int = 64, blocks: int = 8):
        super().__init__()
        c1, c2, c4 = width, 2 * width, 4 * width

        def normed(i: int, o: int) -> nn.Sequential:
            return active(*conv(i, o), channels=o, norm=affine_norm)

        self.body = nn.Sequential(
            normed(3, c1),
            normed(c1, c1),
            _Down(c1, c2),
            normed(c2, c2),
            _separable(c2, c2),
            _Down(c2, c4),
            normed(c4, c4),
            *(InvertedResidual(c4, c4, norm=affine_norm) for _ in range(blocks)),
            normed(c4, c4),
            up(),
            _separable(c4, c2),
            _separable(c2, c2),
            normed(c2, c2),
            up(),
            _separable(c2, c2),
            normed(c2, c1),
            normed(c1, c1),
            *conv(c1, 3, 1),
            nn.Tanh(),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
        for block in self.body:
            if isinstance(block, InvertedResidual):
                for module in block.modules():
                    if isinstance(module, nn.Conv2d) and module.groups > 1:
                        nn.init.trunc_normal_(module.weight, std=0.02, a=-0.04, b=0.04)

    def forward(self, image: Tensor) -> Tensor:
        """Stylise (N, 3, H, W) in [-1, 1]."""
        stylised: Tensor = self.body(image)
        return stylised


class AnimeGANv2Generator(nn.Module):
    """Photo to anime, (N, 3, H, W) in [-1, 1] to the same; 2,143,552 parameters.

    Layer norm in place of v1's instance norm, against bubbles and spots; plain convolutions in place of separable
    ones, half the blocks; a bias at the depthwise convolutions only. A size that is no multiple of four comes out
    rounded down to one; sides must be 8 or more. Weights start by He et al. (2015), depthwise ones too, which in
    TensorFlow count all channels as inputs and start smaller; the layer norm after them takes the difference out of the
    picture, not out of the pace of their learning.

    Source: the official code of AnimeGANv2 (2020; there is no paper), but for its half-pixel shift (`up`).

    Args:
        width: channels of the first layer; 4 · `width` and 8 · `width` in the middle.
        blocks: inverted residual blocks; the first doubles the channels.
    """

    multiple = 4
    receptive_field = 0  # layer norm sees the whole picture

    def __init__(self, *, width: int = 32, blocks: int = 4):
        super().__init__()
        c1, c2, c4, c8 = width, 2 * width, 4 * width, 8 * width

        def normed(i: int, o: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
            return active(*conv(i, o, kernel, stride=stride), channels=o, norm=layer_norm)

        self.body = nn.Sequential(
            normed(3, c1, 7),
            normed(c1, c2, stride=2),
            normed(c2, c2),
            normed(c2, c4, stride=2),
            normed(c4, c4),
            normed(c4, c4),
            *(InvertedResidual(c8 if k else c4, c8, norm=layer_norm, bias=True) for k in range(blocks)),
            normed(c8, c4),
            up(),
            normed(c4, c4),
            normed(c4, c4),
            up(),
            normed(c4, c2),
            normed(c2, c2),
            normed(c2, c1, 7),
            *conv(c1, 3, 1),
            nn.Tanh(),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        """Stylise (N, 3, H, W) in [-1, 1]."""
        stylised: Tensor = self.body(image)
        return stylised


class AnimeGANDiscriminator(nn.Module):
    """Raw scores (N, 1, ⌈H/4⌉, ⌈W/4⌉) of an image (N, 3, H, W); 1,128,800 parameters.

    3×3 convolutions with spectral norm (Miyato et al., ICLR 2018; one power iteration per forward pass in training),
    zero padding 1, no biases, leaky slope 0.2; weights start from N(0, 0.02). The norm inside sees the whole image, so
    a score depends on more than its patch. Grey images are given as three equal channels. As with all
    parametrisations of torch, save its `state_dict`: the module itself cannot be pickled.

    Source: as the generators.

    Args:
        norm: "instance" is AnimeGAN's, "layer" AnimeGANv2's.
        width: channels of the first layer; 8 · `width` of the last.

    Raises:
        ValueError: `norm` is neither.
    """

    def __init__(self, *, norm: Literal["instance", "layer"] = "instance", width: int = 32):
        super().__init__()
        if norm not in ("instance", "layer"):
            raise ValueError(f"norm must be 'instance' or 'layer', not {norm!r}")

        def spectral(i: int, o: int, *, stride: int = 1, normed: bool = False) -> list[nn.Module]:
            layer = nn.Conv2d(i, o, 3, stride=stride, padding=1, bias=False)
            nn.init.normal_(layer.weight, 0.0, 0.02)
            norms = [affine_norm(o) if norm == "instance" else layer_norm(o)] if normed else []
            return [spectral_norm(layer), *norms, nn.LeakyReLU(0.2, inplace=True)]

        self.body = nn.Sequential(
            *spectral(3, width),
            *spectral(width, 2 * width, stride=2),
            *spectral(2 * width, 4 * width, normed=True),
            *spectral(4 * width, 4 * width, stride=2),
            *spectral(4 * width, 8 * width, normed=True),
            *spectral(8 * width, 8 * width, normed=True),
            spectral(8 * width, 1)[0],
        )

    def forward(self, image: Tensor) -> Tensor:
        """Score every patch; no sigmoid."""
        scores: Tensor = self.body(image)
        return scores
