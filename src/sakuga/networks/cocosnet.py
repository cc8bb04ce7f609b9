"""CoCosNet: where an exemplar corresponds to a condition, and a generator that is told of the exemplar warped there."""

import copy
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm
from torch.utils.checkpoint import checkpoint

from sakuga.networks.layers import InstanceNorm, reflected

TEMPERATURE = 0.01
"""Of the softmax over positions; the paper's α = 100."""
MAX_PAIRS = 2**22
"""Pairs of positions whose likeness is held at a time."""


def correlate(content: Tensor, exemplar: Tensor, values: Tensor, *, rows: int | None = None) -> Tensor:
    """Warp values (N, C, Q) of an exemplar to the content: Σ_v softmax_v(θ_u·φ_v / 0.01) values_v, (N, C, P).

    `content` θ (N, D, P) and `exemplar` φ (N, D, Q) have unit length over D. `rows`: positions of the content that are
    compared at a time; by default as many as make `MAX_PAIRS`. The (P × Q) map is never whole in memory, backwards
    neither. Source: Zhang et al., CVPR 2020, equations 2 and 3.
    """
    rows = rows or max(1, MAX_PAIRS // exemplar.shape[2])
    blocks = [content] if rows >= content.shape[2] else torch.split(content, rows, 2)
    if len(blocks) > 1 and torch.is_grad_enabled():
        return torch.cat([checkpoint(_warp, block, exemplar, values, use_reentrant=False) for block in blocks], 2)
    return torch.cat([_warp(block, exemplar, values) for block in blocks], 2)


def _warp(content: Tensor, exemplar: Tensor, values: Tensor) -> Tensor:
    likeness = content.transpose(1, 2) @ exemplar / TEMPERATURE
    return values @ F.softmax(likeness, 2).transpose(1, 2)


def positional_norm(x: Tensor) -> Tensor:
    """Normalise each pixel of (N, C, H, W) over its channels (PONO; Li et al., NeurIPS 2019)."""
    variance, mean = torch.var_mean(x, 1, keepdim=True)
    return (x - mean) / (variance + 1e-5).sqrt()


class SPADE(nn.Module):
    """Positional norm, then a gain and a bias for every pixel that a condition tells (Park et al., CVPR 2019)."""

    def __init__(self, channels: int, condition: int, hidden: int):
        super().__init__()
        self.shared = nn.Sequential(reflected(condition, hidden, 3), nn.ReLU())
        self.gamma, self.beta = reflected(hidden, channels, 3), reflected(hidden, channels, 3)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Modulate (N, channels, H, W) by (N, condition, h, w)."""
        told = self.shared(F.interpolate(condition, size=x.shape[2:], mode="nearest"))
        result: Tensor = positional_norm(x) * (1 + self.gamma(told)) + self.beta(told)
        return result


class SPADEBlock(nn.Module):
    """Two modulated convolutions, added to the input, or to a modulated 1x1 convolution of it."""

    def __init__(self, channels: int, out: int, condition: int, hidden: int):
        super().__init__()
        middle = min(channels, out)
        self.first, self.second = SPADE(channels, condition, hidden), SPADE(middle, condition, hidden)
        self.conv1 = spectral_norm(reflected(channels, middle, 3))
        self.conv2 = spectral_norm(reflected(middle, out, 3))
        self.skip = SPADE(channels, condition, hidden) if channels != out else None
        self.conv_skip = spectral_norm(nn.Conv2d(channels, out, 1, bias=False)) if channels != out else None

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, out, H, W)."""
        y = self.conv1(F.leaky_relu(self.first(x, condition), 0.2))
        y = self.conv2(F.leaky_relu(self.second(y, condition), 0.2))
        if self.skip is None or self.conv_skip is None:
            return x + y  # type: ignore[no-any-return]
        return self.conv_skip(self.skip(x, condition)) + y  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Self-attention with keys and values of a quarter of the positions, which begins as nothing (SAGAN, 2019)."""

    def __init__(self, channels: int):
        super().__init__()
        eighth, half = max(1, channels // 8), max(1, channels // 2)
        self.query, self.key = (spectral_norm(nn.Conv2d(channels, eighth, 1, bias=False)) for _ in range(2))
        self.value = spectral_norm(nn.Conv2d(channels, half, 1, bias=False))
        self.out = spectral_norm(nn.Conv2d(half, channels, 1, bias=False))
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Add to (N, C, H, W) what each position sees elsewhere."""
        query = self.query(x).flatten(2)
        key, value = (F.max_pool2d(network(x), 2).flatten(2) for network in (self.key, self.value))
        seen = value @ F.softmax(query.transpose(1, 2) @ key, 2).transpose(1, 2)
        return x + self.gamma * self.out(seen.reshape(len(x), -1, *x.shape[2:]))  # type: ignore[no-any-return]


class Adaptor(nn.Module):
    """Features (N, 4 W, H/4, W/4) of unit length of a picture of one domain, in the space that both domains share."""

    def __init__(self, channels: int, *, width: int = 64, kernel: int = 4):
        super().__init__()
        w = width
        plan = ((channels, w, 3, 1), (w, 2 * w, kernel, 2), (2 * w, 4 * w, 3, 1), (4 * w, 8 * w, kernel, 2))
        self.convs = nn.ModuleList(
            nn.Sequential(
                spectral_norm(nn.Conv2d(wide, wider, k, stride=stride, padding=1, bias=False)), InstanceNorm(wider)
            )
            for wide, wider, k, stride in (*plan, (8 * w, 8 * w, 3, 1))
        )
        widths = (8 * w, 8 * w, 8 * w, 4 * w)
        self.blocks = nn.ModuleList(SPADEBlock(a, b, channels, 2 * w) for a, b in pairwise(widths))

    def forward(self, image: Tensor) -> Tensor:
        """Features of (N, channels, H, W)."""
        x = image
        for i, conv in enumerate(self.convs):
            x = conv(F.leaky_relu(x, 0.2) if i else x)
        for block in self.blocks:
            x = block(x, image)
        return F.normalize(x, dim=1, eps=1e-4)


class Match(NamedTuple):
    """What a correspondence finds.

    Attributes:
        warped: the exemplar moved to the condition, (N, 3, H/4, W/4).
        back: the same moved back, to be compared with the reduced exemplar.
        reduced: the exemplar, means of squares of four pixels.
        features: of the condition, of unit length.
        paired: those of the condition's own photo, if it was given.
    """

    warped: Tensor
    back: Tensor
    reduced: Tensor
    features: Tensor
    paired: Tensor | None


class Correspondence(nn.Module):
    """Matches a condition with an exemplar, position by position; with 151 labels 59,315,716 parameters.

    Features of both adaptors go through four shared residual blocks and a 1x1 convolution each; squares of 3x3 of them,
    without their mean, of unit length, are compared (`correlate`).

    Args:
        condition: channels of the condition.
        width: channels of the adaptors' first layer.
        kernel: of their strided convolutions, 3 (ADE20k) or 4 (faces, clothes).
        labels: channels of label maps that are put beside the features of either side, as for masks; 0 for none.

    Source: Zhang, Zhang, Chen, Yuan, Wen, "Cross-domain Correspondence Learning for Exemplar-based Image Translation",
    CVPR 2020, section 3.1, sizes of the official code.
    """

    def __init__(self, condition: int = 3, *, width: int = 64, kernel: int = 4, labels: int = 0):
        super().__init__()
        self.of_condition = Adaptor(condition, width=width, kernel=kernel)
        self.of_photo = Adaptor(3, width=width, kernel=kernel)
        channels = 4 * width + labels
        self.shared = nn.Sequential(*(_Residual(channels) for _ in range(4)))
        self.theta, self.phi = (nn.Conv2d(channels, 4 * width, 1) for _ in range(2))

    def forward(self, condition: Tensor, exemplar: Tensor, photo: Tensor | None = None) -> Match:
        """Match (N, condition, H, W) with (N, 3, H, W); sides are multiples of 4."""
        features = self.of_condition(condition)
        content, style = self.theta(self.shared(features)), self.phi(self.shared(self.of_photo(exemplar)))
        theta, phi = self._unfolded(content), self._unfolded(style)
        reduced = F.avg_pool2d(exemplar, 4)
        warped = correlate(theta, phi, reduced.flatten(2))
        back = correlate(phi, theta, warped)
        paired = None if photo is None else self.of_photo(photo)
        return Match(warped.reshape(reduced.shape), back.reshape(reduced.shape), reduced, features, paired)

    def _unfolded(self, features: Tensor) -> Tensor:
        squares = F.unfold(features, 3, padding=1)
        return F.normalize(squares - squares.mean(1, keepdim=True), dim=1, eps=1e-4)


class _Residual(nn.Module):
    """Two reflected convolutions with instance norm, added to the input, and a PReLU that both places share."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1, self.conv2 = reflected(channels, channels, 3), reflected(channels, channels, 3)
        self.norm, self.activation = InstanceNorm(channels), nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.activation(self.norm(self.conv1(x)))
        return self.activation(x + self.norm(self.conv2(y)))  # type: ignore[no-any-return]


class CoCosGenerator(nn.Module):
    """Paints (N, 3, S, S) from a condition and the warped exemplar, (N, channels, S, S) together, S a multiple of 32.

    It begins with the condition at a 32nd of its side and is told of it before every convolution; with 151 labels
    96,664,260 parameters. Source: as `Correspondence`, section 3.2; the constant code of the paper is, as in the
    official code, the condition itself.
    """

    def __init__(self, channels: int = 6, *, width: int = 64):
        super().__init__()
        w = width
        self.start = nn.Conv2d(channels, 16 * w, 3, padding=1)
        widths = (16 * w, 16 * w, 16 * w, 16 * w, 8 * w, 4 * w, 2 * w, w)
        self.blocks = nn.ModuleList(SPADEBlock(a, b, channels, 2 * w) for a, b in pairwise(widths))
        self.attention = Attention(4 * w)
        self.last = nn.Conv2d(w, 3, 3, padding=1)

    def forward(self, condition: Tensor) -> Tensor:
        """Paint."""
        height, width = condition.shape[2:]
        x = self.start(F.interpolate(condition, size=(height // 32, width // 32), mode="nearest"))
        for i, block in enumerate(self.blocks):
            x = block(x, condition)
            if i == 4:
                x = self.attention(x)
            if i not in (1, 6):
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        painted: Tensor = torch.tanh(self.last(F.leaky_relu(x, 0.2)))
        return painted


class CoCosDiscriminator(nn.Module):
    """Scores of patches of condition and picture (N, channels, S, S) at two scales, and the features behind them.

    With 151 labels 3,000,386 parameters at each scale. Source: as `Correspondence`, official code.
    """

    def __init__(self, channels: int = 6, *, width: int = 64):
        super().__init__()
        self.scales = nn.ModuleList(_scale(channels, width) for _ in range(2))

    def forward(self, image: Tensor) -> list[list[Tensor]]:
        """Return the features of each scale, the last of them the scores (N, 1, h, w)."""
        found = []
        for i, stages in enumerate(self.scales):
            if i:
                image = F.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False)
            x, features = image, []
            for stage in stages:  # type: ignore[attr-defined]
                x = stage(x)
                features.append(x)
            found.append(features)
        return found


def _scale(channels: int, width: int) -> nn.ModuleList:
    def stage(wide: int, wider: int, stride: int, *more: nn.Module) -> nn.Sequential:
        conv = spectral_norm(nn.Conv2d(wide, wider, 4, stride=stride, padding=1, bias=False))
        return nn.Sequential(conv, InstanceNorm(wider), nn.LeakyReLU(0.2), *more)

    w = width
    return nn.ModuleList(
        [
            nn.Sequential(nn.Conv2d(channels, w, 4, stride=2, padding=1), nn.LeakyReLU(0.2)),
            stage(w, 2 * w, 2),
            stage(2 * w, 4 * w, 2, Attention(4 * w)),
            stage(4 * w, 8 * w, 1),
            nn.Conv2d(8 * w, 1, 4, padding=1),
        ]
    )


class ByExemplar(nn.Module):
    """What users run: a condition and a reference, both (N, 3, S, S), to a picture in the reference's colours.

    Of copies of the networks, whose weights are divided by their spectral norms once and for all.
    """

    def __init__(self, correspondence: Correspondence, generator: CoCosGenerator):
        super().__init__()
        self.correspondence, self.generator = copy.deepcopy(correspondence).eval(), copy.deepcopy(generator).eval()
        for module in [*self.modules()]:
            if parametrize.is_parametrized(module):
                # A copy shares its class with the original, which torch strips of the weight: it gets one of its own.
                kind = type(module)
                module.__class__ = type(kind.__name__, kind.__bases__, dict(kind.__dict__))
                parametrize.remove_parametrizations(module, "weight")

    def forward(self, image: Tensor, reference: Tensor) -> Tensor:
        """Translate."""
        result: Tensor = self.generator(warp_onto(self.correspondence(image, reference), image))
        return result


def warp_onto(match: Match, condition: Tensor) -> Tensor:
    """Return what the generator is told, (N, 3 + C, S, S): the exemplar as warped, enlarged, and the condition."""
    return torch.cat([F.interpolate(match.warped, size=condition.shape[2:], mode="nearest"), condition], 1)
