"""The networks of AnimeGANv3, the double-tail GAN (Liu, Chen, Gao, IEICE Transactions E107-D(1), 2024)."""

from typing import Literal, overload

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from sakuga.networks.animegan import up
from sakuga.networks.layers import instance_norm, reflected

EPS = 1e-5


class LADE(nn.Module):
    """Linearly adaptive denormalisation: the statistics taken away come back from a linear map of the input.

        y = (x − μ(x)) / √(σ²(x) + ε) · √(σ²(t) + ε) + μ(t),   t = W x   (1×1 convolution, no bias)

    μ and σ² (biased) per picture and channel over H and W, ε = 1e-5. With W = 1 it is the identity.

    Args:
        channels: of x (N, C, H, W).
        spectral: spectral norm on W, as the discriminators have it.
    """

    def __init__(self, channels: int, *, spectral: bool = False):
        super().__init__()
        self.map = _conv(channels, channels, 1, spectral=spectral)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        variance, mean = torch.var_mean(self.map(x), dim=(2, 3), correction=0, keepdim=True)
        return instance_norm(x, eps=EPS) * (variance + EPS).sqrt() + mean


class ExternalAttention(nn.Module):
    """Attention of every position to `units` learned vectors M (C, units) in place of the other positions.

        q = W₁ x;   a = softmax over positions of Mᵀ q;   a ← a / (1e-9 + Σ over units of a);   y = M a
        out = lrelu(x + BN(W₂ y))

    Keys and values are the same matrix M; W₁, W₂ are 1×1 convolutions without bias.

    Source: Guo et al., "Beyond Self-attention: External Attention using Two Linear Layers for Visual Tasks" (2021),
    with two matrices; AnimeGANv3 makes them one and has batch norm with ε = 1e-3. Its running statistics move by
    0.01 a step, not by the official 0.001: a run of some hundred steps would still paint with their starting values.
    """

    def __init__(self, channels: int, units: int):
        super().__init__()
        self.enter = _conv(channels, channels, 1)
        self.memory = nn.Parameter(nn.init.xavier_uniform_(torch.empty(channels, units)))
        self.leave = _conv(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        attention = (self.memory.T @ self.enter(x).flatten(2)).softmax(2)  # (N, units, H·W)
        attention = attention / (1e-9 + attention.sum(1, keepdim=True))
        y = (self.memory @ attention).reshape(x.shape)
        return F.leaky_relu(x + self.norm(self.leave(y)), 0.2)


class _Tail(nn.Module):
    """Attention, then three times: twice the size, a unit, the base's features of that size added, a unit."""

    def __init__(self, width: int):
        super().__init__()
        c1, c2, c4 = width, 2 * width, 4 * width
        self.attention = ExternalAttention(c4, units=c4)
        self.enter = nn.ModuleList(nn.Sequential(up(), *_unit(i, o)) for i, o in ((c4, c4), (c4, c2), (c2, c1)))
        self.merge = nn.ModuleList(nn.Sequential(*_unit(c, c)) for c in (c4, c2, c1))
        self.paint = nn.Sequential(_conv(c1, 3, 7), nn.Tanh())

    def forward(self, features: list[Tensor]) -> Tensor:
        *skips, x = features
        x = self.attention(x)
        for enter, merge, skip in zip(self.enter, self.merge, reversed(skips), strict=True):
            x = merge(enter(x) + skip)
        stylized: Tensor = self.paint(x)
        return stylized


class AnimeGANv3Generator(nn.Module):
    """Photo to anime, (N, 3, H, W) in [-1, 1] to the same; 1,557,792 parameters, 1,027,520 of them at work afterwards.

    One base, three times halved, feeds two tails of the same form: `support` learns the style adversarially, `main`
    learns a cleaned version of support's pictures and is what users run. `forward` therefore paints with `main`
    alone and an exported network holds base and main only; `both` is for training. A unit is a convolution, LADE and
    leaky ReLU 0.2; no biases, reflection at the borders, Xavier-uniform weights. Sides must be multiples of eight,
    16 or more: at others the tails do not fit the base's features and torch raises.

    Source: Liu, Chen, Gao, "A Novel Double-Tail Generative Adversarial Network for Fast Photo Animation", IEICE
    Transactions on Information and Systems E107-D(1), 2024, in the form of the official code (2023): widths, kernels,
    the place of the skips (added between the two units of a level), ε and initialisation are the code's. It reflects
    at top and left only where it halves; here all sides, the same for even sizes. Chosen here: resizing between pixel
    centres (`up`), the speed of batch norm's statistics, and that `width` scales the attention's units with the rest.

    Args:
        width: channels at full size; twice, four and four times as many below.
    """

    multiple = 8
    receptive_field = 0  # LADE and the attention see the whole picture

    def __init__(self, *, width: int = 32):
        super().__init__()
        c1, c2, c4 = width, 2 * width, 4 * width
        self.base = nn.ModuleList(
            [
                nn.Sequential(*_unit(3, c1, 7)),
                nn.Sequential(*_unit(c1, c1, stride=2), *_unit(c1, c2)),
                nn.Sequential(*_unit(c2, c2, stride=2), *_unit(c2, c4)),
                nn.Sequential(*_unit(c4, c4, stride=2), *_unit(c4, c4)),
            ]
        )
        self.support = _Tail(width)
        self.main = _Tail(width)

    @overload
    def forward(self, image: Tensor) -> Tensor: ...
    @overload
    def forward(self, image: Tensor, both: Literal[True]) -> tuple[Tensor, Tensor]: ...
    def forward(self, image: Tensor, both: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """Stylise (N, 3, H, W) in [-1, 1] with the main tail.

        With `both`, return (support, main), two pictures of one pass; the losses smooth support's further.
        """
        features = self._features(image)
        main: Tensor = self.main(features)
        return (self.support(features), main) if both else main

    def _features(self, image: Tensor) -> list[Tensor]:
        features = [image]
        for stage in self.base:
            features.append(stage(features[-1]))
        return features[1:]


class AnimeGANv3Discriminator(nn.Module):
    """Raw scores (N, 1, ⌈H/8⌉, ⌈W/8⌉) of an image (N, 3, H, W); 693,088 parameters.

    Convolutions with spectral norm (one power iteration per forward pass in training), LADE with spectral norm, leaky
    slope 0.2; no biases, reflection at the borders, Xavier-uniform weights. AnimeGANv3 has two of them: one for
    support's pictures in grey (three equal channels), one for main's in colour. Save its `state_dict`: a module with
    spectral norm cannot be pickled.

    Source: as the generator.

    Args:
        width: channels of the first layer; 8 · `width` of the last.
    """

    def __init__(self, *, width: int = 32):
        super().__init__()
        stages = [width, 2 * width, 4 * width]
        self.body = nn.Sequential(
            _conv(3, width, 7, spectral=True),
            nn.LeakyReLU(0.2),
            *(layer for c in stages for layer in _unit(c, c, stride=2, spectral=True) + _unit(c, 2 * c, spectral=True)),
            _conv(8 * width, 1, 1, spectral=True),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Score every patch; no sigmoid."""
        scores: Tensor = self.body(image)
        return scores


def _conv(i: int, o: int, kernel: int, *, stride: int = 1, spectral: bool = False) -> nn.Module:
    layer = reflected(i, o, kernel, stride=stride, bias=False)
    nn.init.xavier_uniform_(layer.weight)
    return spectral_norm(layer) if spectral else layer


def _unit(i: int, o: int, kernel: int = 3, *, stride: int = 1, spectral: bool = False) -> list[nn.Module]:
    return [
        _conv(i, o, kernel, stride=stride, spectral=spectral),
        LADE(o, spectral=spectral),
        nn.LeakyReLU(0.2, inplace=True),
    ]
