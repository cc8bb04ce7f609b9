"""photo2cartoon's generator, U-GAT-IT's with hourglasses and styles, and its division into groups of faces."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from sakuga.networks.layers import InstanceNorm, reflected
from sakuga.networks.resnet import ResidualBlock
from sakuga.networks.ugatit import LIN, AdaLIN, UGATITDiscriminator


class MultiScaleBlock(nn.Module):
    """x + three convolutions, each on the one before, to C/2, C/4 and C/4 channels; norm and ReLU come first."""

    def __init__(self, channels: int):
        super().__init__()
        widths = (channels, channels // 2, channels // 4, channels // 4)
        self.convolutions = nn.ModuleList(reflected(a, b, 3, bias=False) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(InstanceNorm(a) for a in widths[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        parts = [x]
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            parts.append(convolution(F.relu(norm(parts[-1]))))
        return x + torch.cat(parts[1:], 1)


class Hourglass(nn.Module):
    """Down and up again through `levels`, four as published, (N, C, H, W) to the same; sides multiples of 2^levels.

    A picture of three channels is made of the result and, unless it `ends` the network, fed back: x + what was found +
    the picture, each through a 1×1 convolution. With `ends` the picture itself is returned.
    """

    def __init__(self, channels: int, *, levels: int = 4, ends: bool = False):
        super().__init__()
        self.skips, self.down = (nn.ModuleList(MultiScaleBlock(channels) for _ in range(levels)) for _ in "ab")
        self.centre = MultiScaleBlock(channels)
        self.up = nn.ModuleList(MultiScaleBlock(channels) for _ in range(levels))
        self.found = nn.Sequential(
            MultiScaleBlock(channels), nn.Conv2d(channels, channels, 1, bias=False), InstanceNorm(channels), nn.ReLU()
        )
        self.picture = nn.Conv2d(channels, 3, 1)
        self.again: nn.Conv2d | None = None if ends else nn.Conv2d(channels, channels, 1)
        self.back: nn.Conv2d | None = None if ends else nn.Conv2d(3, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return features, or with `ends` a picture (N, 3, H, W) that is not bounded."""
        skips, y = [], x
        for skip, down in zip(self.skips, self.down, strict=True):
            skips.append(skip(y))
            y = down(F.avg_pool2d(y, 2))
        y = self.centre(y)
        for up in self.up:
            y = skips.pop() + F.interpolate(up(y), scale_factor=2.0, mode="nearest")
        found = self.found(y)
        picture: Tensor = self.picture(found)
        if self.again is None or self.back is None:
            return picture
        result: Tensor = x + self.again(found) + self.back(picture)
        return result


class SoftAdaLIN(nn.Module):
    """AdaLIN whose γ and β are the style's, drawn by a learned share w per channel to those of the content.

    w starts at 0; `clip` of the translator keeps it in [0, 1].
    """

    def __init__(self, channels: int):
        super().__init__()
        self.w_gamma, self.w_beta = (nn.Parameter(torch.zeros(1, channels)) for _ in range(2))
        self.norm = AdaLIN(channels)
        self.content = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, channels)) for _ in range(2)
        )
        self.style = nn.ModuleList(nn.Linear(channels, channels) for _ in range(2))

    def forward(self, x: Tensor, content: Tensor, style: Tensor) -> Tensor:
        """Normalise (N, C, H, W) by vectors (N, C)."""
        gamma, beta = (
            (1 - w) * of_style(style) + w * of_content(content)
            for w, of_style, of_content in zip((self.w_gamma, self.w_beta), self.style, self.content, strict=True)
        )
        result: Tensor = self.norm(x, gamma, beta)
        return result


class SoftAdaptiveBlock(nn.Module):
    """x + SoftAdaLIN(conv(ReLU(SoftAdaLIN(conv(x)))))."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1, self.norm1 = reflected(channels, channels, 3, bias=False), SoftAdaLIN(channels)
        self.conv2, self.norm2 = reflected(channels, channels, 3, bias=False), SoftAdaLIN(channels)

    def forward(self, x: Tensor, content: Tensor, style: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y = F.relu(self.norm1(self.conv1(x), content, style))
        z: Tensor = x + self.norm2(self.conv2(y), content, style)
        return z


class Translator(nn.Module):
    """What all groups share: from the features of a face (N, w, H, W) to those of its drawing, and CAM logits (N, 2).

    Hourglass, two strided convolutions, four residual blocks, attention by CAM, four blocks whose norms know style and
    content, two enlargements, hourglass; 3,587,752 parameters with w = 32, light.

    Args:
        width: w.
        light: compute the style from averaged features; otherwise from every place of those of a picture of `side`.
        side: of the training pictures.
        levels: of the hourglasses.
    """

    def __init__(self, *, width: int = 32, light: bool = True, side: int = 256, levels: int = 4):
        super().__init__()
        wide = 4 * width
        self.first = Hourglass(width, levels=levels)
        self.down = nn.Sequential()
        for channels in (width, 2 * width):
            halving = reflected(channels, 2 * channels, 3, stride=2, bias=False)
            self.down.extend([halving, InstanceNorm(2 * channels), nn.ReLU()])
        self.encoder = nn.ModuleList(ResidualBlock(wide, bias=False) for _ in range(4))
        self.by_mean, self.by_max = nn.Linear(wide, 1), nn.Linear(wide, 1)
        self.join = nn.Conv2d(2 * wide, wide, 1)
        self.grid = 1 if light else side // 4
        self.style = nn.Sequential(nn.Linear(wide * self.grid**2, wide), nn.ReLU(), nn.Linear(wide, wide), nn.ReLU())
        self.decoder = nn.ModuleList(SoftAdaptiveBlock(wide) for _ in range(4))
        self.up = nn.Sequential()
        for channels in (wide, wide // 2):
            narrowing = reflected(channels, channels // 2, 3, bias=False)
            self.up.extend([nn.Upsample(scale_factor=2, mode="nearest"), narrowing, LIN(channels // 2), nn.ReLU()])
        self.last = Hourglass(width, levels=levels)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Translate; the logits are high for what is to be translated, low for what is drawn already."""
        x = self.down(self.first(features))
        contents = []
        for block in self.encoder:
            x = block(x)
            contents.append(x.mean((2, 3)))
        logits = torch.cat([self.by_mean(x.mean((2, 3))), self.by_max(x.amax((2, 3)))], 1)
        weights = self.by_mean.weight, self.by_max.weight
        x = F.relu(self.join(torch.cat([x * w[..., None, None] for w in weights], 1)))
        pooled = x.mean((2, 3), keepdim=True) if self.grid == 1 else x
        style = self.style(pooled.flatten(1))
        for block, content in zip(self.decoder, reversed(contents), strict=True):
            x = block(x, content, style)
        return self.last(self.up(x)), logits

    @torch.no_grad()
    def clip(self) -> None:
        """Bring every ρ and w back into [0, 1]; call it after each step."""
        for module in self.modules():
            if isinstance(module, (AdaLIN, LIN)):
                module.rho.clamp_(0, 1)
            elif isinstance(module, SoftAdaLIN):
                module.w_gamma.clamp_(0, 1)
                module.w_beta.clamp_(0, 1)


class GroupGenerator(nn.Module):
    """Faces (N, 3, H, W) in [-1, 1] of one side to those of the other; each group of faces has its own ends.

    A group's own are the first convolution with an hourglass and the last with another (185,983 parameters with width
    32), everything between is `Translator`. With one group this is photo2cartoon's generator: 3,773,735 parameters,
    70,866,215 where it is not light. Sides must be multiples of 16 (2^levels, and of four), at least twice that;
    of `side` exactly where it is not light.

    Source: Zhuang, Yang, "Few-shot Knowledge Transfer for Fine-grained Cartoon Face Generation", ICME 2021, and its
    official code, which goes on from minivision-ai/photo2cartoon. The projections that this never uses are left out;
    the CAM is that of the code's training path, one for all groups.
    """

    def __init__(self, groups: Sequence[str], *, width: int = 32, light: bool = True, side: int = 256, levels: int = 4):
        super().__init__()
        self.entry = nn.ModuleDict(
            {
                group: nn.Sequential(
                    reflected(3, width, 7, bias=False), InstanceNorm(width), nn.ReLU(), Hourglass(width, levels=levels)
                )
                for group in groups
            }
        )
        self.shared = Translator(width=width, light=light, side=side, levels=levels)
        self.exit = nn.ModuleDict(
            {
                group: nn.Sequential(
                    Hourglass(width, levels=levels, ends=True), reflected(3, 3, 7, bias=False), nn.Tanh()
                )
                for group in groups
            }
        )

    def forward(self, image: Tensor, group: str) -> tuple[Tensor, Tensor]:
        """Translate the faces of a group; the CAM logits (N, 2) beside."""
        features, logits = self.shared(self.entry[group](image))
        picture: Tensor = self.exit[group](features)
        return picture, logits


class GroupDiscriminator(nn.Module):
    """U-GAT-IT's discriminator with a head that names the group of a face; 13,298,144 parameters with seven layers of
    width 32 and four groups, 827,104 with five.

    Source: as the generator's.
    """

    def __init__(self, groups: int, *, width: int = 32, layers: int = 7):
        super().__init__()
        self.body = UGATITDiscriminator(width=width, layers=layers)
        self.groups = spectral_norm(nn.Conv2d(width * 2 ** (layers - 2), groups, 1, bias=False))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return patch scores (N, 1, h, w), CAM logits (N, 2) and group logits (N, groups); no sigmoid, no softmax."""
        x, cam, _ = self.body.attention(self.body.encoder(image))
        around = F.pad(x, (1, 1, 1, 1), "reflect").mean((2, 3), keepdim=True)
        return self.body.last(x), cam, self.groups(around).flatten(1)
