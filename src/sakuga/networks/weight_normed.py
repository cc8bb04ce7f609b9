"""The networks of Salimans et al. for CIFAR-10: weight norm in place of batch norm wherever fakes meet reals."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

Layer = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
DEVIATION, LAST = 1.0, 0.1
"""What a layer's outputs have at the beginning, and those of a network's last."""


class WeightNormedGenerator(nn.Module):
    """Noise to a picture: a linear layer to 4×4, then transposed 5×5 convolutions, each twice as large.

    512, 256, 128 channels for 32 pixels; batch norm and ReLU after all but the last, which has weight norm and tanh.

    Args:
        noise: numbers that a picture is made of.
        channels: of the picture.
        width: an eighth of the channels at 4×4.
        side: of the picture, a power of two.

    Raises:
        ValueError: `side` is no power of two, or less than 8.

    Source: Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen, "Improved Techniques for Training GANs", NeurIPS 2016,
    official code for CIFAR-10; weights start from N(0, 0.05).
    """

    def __init__(self, noise: int = 100, *, channels: int = 3, width: int = 64, side: int = 32):
        super().__init__()
        if side < 8 or side & (side - 1):
            raise ValueError(f"side must be a power of two, 8 or more, not {side}")
        widths = [max(1, 8 * width // 2**place) for place in range(side.bit_length() - 3)]
        self.start = nn.Sequential(
            nn.Linear(noise, widths[0] * 16, bias=False), nn.BatchNorm1d(widths[0] * 16), nn.ReLU()
        )
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [_twice(a, b, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
        self.body = nn.Sequential(*layers, weight_norm(_twice(widths[-1], channels), dim=1), nn.Tanh())
        _start(self)

    def forward(self, noise: Tensor) -> Tensor:
        """(N, noise) to (N, channels, side, side) in [-1, 1]."""
        picture: Tensor = self.body(self.start(noise).unflatten(1, (-1, 4, 4)))
        return picture


class WeightNormedClassifier(nn.Module):
    """A picture to its features and to logits of K classes: nine convolutions and a mean, all with weight norm.

    3×3 convolutions of 96, 96, 96 (stride 2), 192, 192, 192 (stride 2), 192 channels, the last without a border, two of
    1×1, then the mean over the places; leaky slope 0.2; a fifth of the picture and half of the features before each
    further size are dropped.

    Args:
        classes: K.
        channels: of the picture.
        width: two thirds of the channels at full size.

    Pictures may have any side from 12 on.

    Source: as the generator's.
    """

    def __init__(self, classes: int, *, channels: int = 3, width: int = 64):
        super().__init__()
        narrow, wide = 3 * width // 2, 3 * width
        layers: list[nn.Module] = [nn.Dropout(0.2)]
        for a, b, kernel, stride, padding, dropped in (
            (channels, narrow, 3, 1, 1, False),
            (narrow, narrow, 3, 1, 1, False),
            (narrow, narrow, 3, 2, 1, True),
            (narrow, wide, 3, 1, 1, False),
            (wide, wide, 3, 1, 1, False),
            (wide, wide, 3, 2, 1, True),
            (wide, wide, 3, 1, 0, False),
            (wide, wide, 1, 1, 0, False),
            (wide, wide, 1, 1, 0, False),
        ):
            layers += [weight_norm(nn.Conv2d(a, b, kernel, stride, padding)), nn.LeakyReLU(0.2)]
            layers += [nn.Dropout(0.5)] if dropped else []
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.logits = weight_norm(nn.Linear(wide, classes))
        _start(self)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, channels, side, side) to features (N, 3 width) and logits (N, classes)."""
        features = self.body(image)
        return features, self.logits(features)


@torch.no_grad()
def scale_to_data(network: nn.Module, sample: Tensor) -> None:
    """Set gains and biases so that every layer's outputs on a batch have mean 0 and deviation 1, the last's 0.1.

    Source: Salimans, Kingma, "Weight Normalization", NeurIPS 2016, equation 5; 0.1: the official code of the networks.
    """
    layers = list(_weight_normed(network))

    def fit(layer: Layer, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        axes = [0, *range(2, output.ndim)]
        scale = (LAST if layer is layers[-1] else DEVIATION) / output.std(axes, correction=0).clamp_min(1e-6)
        gain, _ = _parts(layer)
        gain.mul_(scale.view(gain.shape))
        assert layer.bias is not None
        layer.bias.copy_(-output.mean(axes) * scale)
        shape = (1, -1, *(1 for _ in axes[1:]))
        return (output - output.mean(axes).view(shape)) * scale.view(shape)

    with ExitStack() as hooks:
        for layer in layers:
            hooks.callback(layer.register_forward_hook(fit).remove)
        network(sample)


def _weight_normed(network: nn.Module) -> Iterator[Layer]:
    for module in network.modules():
        if isinstance(module, Layer) and hasattr(module, "parametrizations"):
            yield module


def _twice(channels: int, out: int, *, bias: bool = True) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, out, 5, stride=2, padding=2, output_padding=1, bias=bias)


def _parts(layer: Layer) -> tuple[nn.Parameter, nn.Parameter]:
    """Return the gain and the direction of a layer's weights."""
    parts: Any = layer.parametrizations.weight  # type: ignore[union-attr]
    return parts.original0, parts.original1


def _start(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, Layer):
            weight = module.weight
            if hasattr(module, "parametrizations"):
                gain, weight = _parts(module)
                nn.init.ones_(gain)
            nn.init.normal_(weight, 0.0, 0.05)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
