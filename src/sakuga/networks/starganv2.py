"""The four networks of StarGAN v2 (Choi, Uh, Yoo, Ha, CVPR 2020); styles are vectors of 64 numbers."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakuga.networks.layers import InstanceNorm, instance_norm
from sakuga.networks.stargan import init_he

SLOPE = 0.2
SKIPPED = (32, 64, 128)
"""Sides at which high frequencies of the photo pass by the style."""
PARTS = {"jaw": (0, 33), "brows": (33, 51), "nose": (51, 60), "eyes": (60, 76), "mouth": (76, 96), "pupils": (96, 98)}
"""First landmark of each part of WFLW's 98, and the one after its last."""


def channels(side: int, width: int, most: int, count: int) -> list[int]:
    """Channels of `count` halvings of a picture and before them: twice as many each time, `most` at most."""
    return [min(width * 2**i, most) for i in range(count + 1)]


def pick(each: Tensor, domain: Tensor) -> Tensor:
    """Of (N, K, ...), one for each domain, take that of `domain`, integers (N,) or one-hot (N, K)."""
    if domain.is_floating_point():
        return (each * domain.view(*domain.shape, *[1] * (each.ndim - 2)).to(each.dtype)).sum(1)
    return each[torch.arange(len(each), device=each.device), domain]


class ResBlock(nn.Module):
    """(shortcut + residual) / √2; a norm and leaky ReLU before each 3×3 convolution, halving by averages between them.

    The shortcut is a 1×1 convolution where the channels change, then halved.
    """

    def __init__(self, inside: int, out: int, *, norm: bool = False, down: bool = False):
        super().__init__()
        self.down = down
        self.conv1, self.conv2 = nn.Conv2d(inside, inside, 3, padding=1), nn.Conv2d(inside, out, 3, padding=1)
        self.norm1, self.norm2 = (InstanceNorm(inside, affine=True) if norm else nn.Identity() for _ in range(2))
        self.shortcut = nn.Conv2d(inside, out, 1, bias=False) if inside != out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, out, H, W), or half of that."""
        short, long = self.shortcut(x), self.conv1(F.leaky_relu(self.norm1(x), SLOPE))
        if self.down:
            short, long = F.avg_pool2d(short, 2), F.avg_pool2d(long, 2)
        y: Tensor = (short + self.conv2(F.leaky_relu(self.norm2(long), SLOPE))) / math.sqrt(2)
        return y


class AdaIN(nn.Module):
    """(1 + γ(s)) IN(x) + β(s), with γ and β one linear layer of the style."""

    def __init__(self, style: int, width: int):
        super().__init__()
        self.linear = nn.Linear(style, 2 * width)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Normalise (N, C, H, W) by a style (N, S)."""
        gain, bias = self.linear(style)[..., None, None].chunk(2, 1)
        y: Tensor = (1 + gain) * instance_norm(x) + bias
        return y


class StyledBlock(nn.Module):
    """As `ResBlock`, with the style in its norms, and enlarged by repetition.

    Where `shortcut` is off, the residual alone, and the shortcut's weights lie idle, as in the official code.
    """

    def __init__(self, inside: int, out: int, style: int, *, up: bool = False, shortcut: bool = True):
        super().__init__()
        self.up, self.short = up, shortcut
        self.conv1, self.conv2 = nn.Conv2d(inside, out, 3, padding=1), nn.Conv2d(out, out, 3, padding=1)
        self.norm1, self.norm2 = AdaIN(style, inside), AdaIN(style, out)
        self.shortcut = nn.Conv2d(inside, out, 1, bias=False) if inside != out else nn.Identity()

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(N, C, H, W) and a style (N, S) to (N, out, H, W), or twice that."""

        def enlarged(values: Tensor) -> Tensor:
            return F.interpolate(values, scale_factor=2, mode="nearest") if self.up else values

        long = self.conv1(enlarged(F.leaky_relu(self.norm1(x, style), SLOPE)))
        long = self.conv2(F.leaky_relu(self.norm2(long, style), SLOPE))
        if not self.short:
            return torch.as_tensor(long)
        y: Tensor = (self.shortcut(enlarged(x)) + long) / math.sqrt(2)
        return y


class StarGANv2Generator(nn.Module):
    """A picture and a style to a picture of that style; 33,892,995 parameters at 256 pixels.

    A 3×3 convolution, blocks that halve the picture to a sixteenth, two more, and as many with the style in their norms
    on the way back; IN, leaky ReLU and a 1×1 convolution to colours, without tanh. With `high_pass` (43,467,395
    parameters) there is one more halving, styled blocks have no shortcut, and at 32, 64 and 128 pixels what `masks` let
    through of the photo's high frequencies is added.

    Args:
        side: of the pictures, a power of two, 32 or more.
        style: numbers of a style.
        width: channels of the first layer; 2¹⁴ / side as published, of which 64 at 256 pixels.
        most: channels at most.
        high_pass: by which the kernel [-1 ... 8 ... -1] is divided, w_hpf; 0 for none of it.

    Source: Choi et al., "StarGAN v2: Diverse Image Synthesis for Multiple Domains", CVPR 2020, table 5, and the
    official code; weights start as He et al.'s.
    """

    def __init__(self, side: int = 256, style: int = 64, *, width: int = 64, most: int = 512, high_pass: float = 0.0):
        super().__init__()
        self.high_pass = high_pass
        sizes = channels(side, width, most, side.bit_length() - 5 + (high_pass > 0))
        steps, last, plain = [*pairwise(sizes)], sizes[-1], not high_pass
        self.from_rgb = nn.Conv2d(3, width, 3, padding=1)
        self.encode = nn.ModuleList(
            [
                *(ResBlock(a, b, norm=True, down=True) for a, b in steps),
                *(ResBlock(last, last, norm=True) for _ in range(2)),
            ]
        )
        self.decode = nn.ModuleList(
            [
                *(StyledBlock(last, last, style, shortcut=plain) for _ in range(2)),
                *(StyledBlock(b, a, style, up=True, shortcut=plain) for a, b in steps[::-1]),
            ]
        )
        self.to_rgb = nn.Sequential(InstanceNorm(width, affine=True), nn.LeakyReLU(SLOPE), nn.Conv2d(width, 3, 1))
        init_he(self)

    def forward(self, image: Tensor, style: Tensor, masks: Sequence[Tensor] = ()) -> Tensor:
        """(N, 3, side, side) in [-1, 1], styles (N, S) and two masks (N, 1, h, w), see `face_masks`, to pictures."""
        x, kept = self.from_rgb(image), {}
        for block in self.encode:
            kept[int(x.shape[2])] = x
            x = block(x)
        for block in self.decode:
            x = block(x, style)
            if masks and (side := int(x.shape[2])) in SKIPPED and side in kept:
                mask = F.interpolate(masks[side > SKIPPED[0]], size=x.shape[2:], mode="bilinear")
                x = x + self._high(mask * kept[side])
        picture: Tensor = self.to_rgb(x)
        return picture

    def _high(self, x: Tensor) -> Tensor:
        kernel = torch.tensor([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]], dtype=x.dtype, device=x.device)
        planes = x.reshape(-1, 1, *x.shape[2:])  # no groups: their number would be unknown to the exporter
        return F.conv2d(planes, (kernel / self.high_pass)[None, None], padding=1).reshape(x.shape)


class MappingNetwork(nn.Module):
    """Noise to a style of each domain: four layers for all, four more for each domain; 2,438,272 parameters for two."""

    def __init__(self, domains: int = 2, *, noise: int = 16, style: int = 64, hidden: int = 512):
        super().__init__()

        def layers(first: int, count: int) -> list[nn.Module]:
            sizes = [first] + [hidden] * (count - 1)
            return [part for size in sizes for part in (nn.Linear(size, hidden), nn.ReLU())]

        self.shared = nn.Sequential(*layers(noise, 4))
        self.domains = nn.ModuleList(
            nn.Sequential(*layers(hidden, 3), nn.Linear(hidden, style)) for _ in range(domains)
        )
        init_he(self)

    def forward(self, noise: Tensor, domain: Tensor) -> Tensor:
        """(N, noise) and domains, see `pick`, to (N, style)."""
        shared = self.shared(noise)
        return pick(torch.stack([layers(shared) for layers in self.domains], 1), domain)


def reducing_trunk(side: int, width: int, most: int) -> tuple[nn.Sequential, int]:
    """A picture to one vector: blocks without norms down to 4×4, a convolution over these; and its length."""
    sizes = channels(side, width, most, side.bit_length() - 3)
    blocks = (ResBlock(a, b, down=True) for a, b in pairwise(sizes))
    last = [nn.LeakyReLU(SLOPE), nn.Conv2d(sizes[-1], sizes[-1], 4), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), *blocks, *last), sizes[-1]


class StyleEncoder(nn.Module):
    """A picture to its style, as one of each domain; 20,916,928 parameters for two domains at 256 pixels."""

    def __init__(self, domains: int = 2, *, side: int = 256, style: int = 64, width: int = 64, most: int = 512):
        super().__init__()
        self.shared, length = reducing_trunk(side, width, most)
        self.domains = nn.ModuleList(nn.Linear(length, style) for _ in range(domains))
        init_he(self)

    def forward(self, image: Tensor, domain: Tensor) -> Tensor:
        """(N, 3, side, side) and domains, see `pick`, to (N, style)."""
        shared = self.shared(image).flatten(1)
        return pick(torch.stack([layer(shared) for layer in self.domains], 1), domain)


class StarGANv2Discriminator(nn.Module):
    """A picture to one raw score for each domain, of which one counts; 20,852,290 parameters for two at 256 pixels."""

    def __init__(self, domains: int = 2, *, side: int = 256, width: int = 64, most: int = 512):
        super().__init__()
        trunk, length = reducing_trunk(side, width, most)
        self.body = nn.Sequential(*trunk, nn.Conv2d(length, domains, 1))
        init_he(self)

    def forward(self, image: Tensor, domain: Tensor) -> Tensor:
        """(N, 3, side, side) and domains, see `pick`, to (N,)."""
        return pick(self.body(image).flatten(1), domain)


def face_masks(heat_maps: Tensor) -> tuple[Tensor, Tensor]:
    """Where a face has landmarks, and where its eyes and nose have, (N, 1, h, w) each in [0, 1], of 98 heat maps.

    The first lets high frequencies through at 32 pixels, the second, without jaw, brows and mouth, at 64 and 128. The
    official code shifts and widens some parts besides, by tables for its own landmark network.
    """
    every = heat_maps.clamp(0, 1)
    inner = [every[:, slice(*PARTS[name])] for name in ("nose", "eyes", "pupils")]
    return every.sum(1, keepdim=True).clamp(0, 1), torch.cat(inner, 1).sum(1, keepdim=True).clamp(0, 1)
