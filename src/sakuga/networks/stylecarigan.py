"""StyleCariGAN: two StyleGAN2 generators, and blocks between their coarse layers that exaggerate shapes."""

from typing import Literal, NamedTuple

from torch import Tensor, nn

from sakuga.networks.equalised import EqualisedConv2d, leaky, widths
from sakuga.networks.stylegan2 import ACTIVE, StyleGAN2Discriminator, StyleGAN2Generator

SIDES = ("photo", "caricature")
COARSEST_FINE = 64
"""Side from which on layers are fine: they paint, and are not exaggerated."""
Way = Literal["stay", "there", "back"]


class Made(NamedTuple):
    """A picture (N, 3, S, S), and the features of each coarse size before its block, and after it."""

    image: Tensor
    before: list[Tensor]
    after: list[Tensor]


class ExaggerationBlock(nn.Module):
    """x + e · σ(conv(σ(conv(x)))), 3×3 convolutions at equalised rate, σ StyleGAN2's leaky ReLU times √2.

    4,719,616 parameters with 512 channels. Source: Jang et al., "StyleCariGAN: Caricature Generation via StyleGAN
    Feature Map Modulation", SIGGRAPH 2021.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.first, self.second = (EqualisedConv2d(channels, channels, 3, gain=1) for _ in range(2))

    def forward(self, x: Tensor, times: Tensor | float = 1.0) -> Tensor:
        """Exaggerate (N, C, H, W) `times`, a number or (N, 1, 1, 1), as far as was learned; 0 leaves it."""
        y = leaky(self.first(x)) * ACTIVE
        y = leaky(self.second(y)) * ACTIVE
        result: Tensor = x + times * y
        return result


class StyleCariGenerator(nn.Module):
    """Frozen generators of photos and of caricatures, and blocks from either to the other, the only ones that learn.

    After the features of 4, 8, 16 and 32 pixels a block changes them; the layers of larger sizes are the other
    generator's, with a style of their own. The coarse layers' pictures are of the first generator; up to 16 pixels they
    show the changed features, at the last coarse size those before.

    18,878,464 parameters of the blocks of one direction with 512 channels. The noise of the layers is their fixed one.

    Args: as StyleGAN2Generator's. Source: as the block.
    """

    def __init__(self, noise: int = 512, *, side: int = 256, width: int = 128, widest: int = 512, layers: int = 8):
        super().__init__()
        sizes = {"side": side, "width": width, "widest": widest}
        self.generators = nn.ModuleDict({name: StyleGAN2Generator(noise, layers=layers, **sizes) for name in SIDES})
        self.generators.requires_grad_(False).eval()
        self.levels = coarse_levels(side)
        channels = widths(side, width, widest)[: self.levels]
        self.blocks = nn.ModuleDict(
            {name: nn.ModuleList(ExaggerationBlock(count) for count in channels) for name in SIDES}
        )

    def of(self, side: str) -> StyleGAN2Generator:
        """The generator of `photo` or `caricature`."""
        found = self.generators[side]
        assert isinstance(found, StyleGAN2Generator)
        return found

    def block(self, source: str, level: int) -> nn.Module:
        """What exaggerates features of a side (takes it back, of caricatures) at a coarse size, 4 pixels first."""
        blocks = self.blocks[source]
        assert isinstance(blocks, nn.ModuleList)
        return blocks[level]

    def train(self, mode: bool = True) -> "StyleCariGenerator":
        """Let the generators keep their fixed noise and their mean."""
        super().train(mode)
        self.generators.eval()
        return self

    def forward(
        self, source: str, w: Tensor, fine: Tensor | None = None, way: Way = "there", times: Tensor | float = 1.0
    ) -> Made:
        """Make pictures of latents of the source's generator.

        Args:
            source: `photo` or `caricature`.
            w: latents (N, layers, noise).
            fine: latents of the other side's fine layers, on the way there; w in the other cases.
            way: `stay` makes the source's own picture, `there` one of the other side, `back` goes there and back again
                at every size.
            times: how far is exaggerated, a number or (N,).
        """
        other = SIDES[1 - SIDES.index(source)]
        times = times.view(-1, 1, 1, 1) if isinstance(times, Tensor) else times
        own = self.of(source).synthesis
        painter = self.of(other).synthesis if way == "there" else own
        before, after = [], []
        x = own.first(own.const.expand(len(w), -1, -1, -1), w[:, 0])
        picture: Tensor | None = None
        for level in range(self.levels):
            if level:
                x = own.size(level - 1).features(x, w[:, 2 * level - 1 : 2 * level + 1])
            changed = x
            if way != "stay":
                changed = self.block(source, level)(x, times)
            if way == "back":
                changed = self.block(other, level)(changed)
            shown = x if level == self.levels - 1 else changed
            if picture is None:
                picture = own.first_rgb(shown, w[:, 1])
            else:
                picture = own.size(level - 1).add(picture, shown, w[:, 2 * level + 1])
            before.append(x)
            after.append(changed)
            x = changed
        assert picture is not None
        late = fine if way == "there" and fine is not None else w
        for number in range(self.levels - 1, len(own.blocks)):
            x, picture = painter.blocks[number](x, picture, late[:, 2 * number + 1 : 2 * number + 4])
        return Made(picture, before, after)


class FeatureDiscriminator(nn.Module):
    """StyleGAN2's discriminator on features (N, channels, side, side) in place of pictures."""

    def __init__(self, side: int, channels: int, widest: int):
        super().__init__()
        self.body = StyleGAN2Discriminator(side=side, width=channels, widest=widest)
        self.body.from_rgb = nn.Identity()  # type: ignore[assignment]

    def forward(self, features: Tensor) -> Tensor:
        """Score; no sigmoid."""
        return self.body.score_features(features)


class Caricaturist(nn.Module):
    """What users run: noise and colors (N, size), exaggeration and truncation (N,), to caricatures."""

    def __init__(self, generator: StyleCariGenerator):
        super().__init__()
        self.generator = generator

    def forward(self, noise: Tensor, colors: Tensor, exaggeration: Tensor, truncation: Tensor) -> Tensor:
        """Draw (N, 3, side, side)."""
        latents = []
        for side, z in zip(SIDES, (noise, colors), strict=True):
            mapping = self.generator.of(side).mapping
            w = mapping.truncate(mapping(z), truncation[:, None])
            latents.append(w[:, None].repeat(1, self.generator.of(side).synthesis.count, 1))
        made: Made = self.generator("photo", *latents, times=exaggeration)
        return made.image


def coarse_levels(side: int) -> int:
    """How many sizes, from 4 pixels on, are exaggerated: up to 32, and at least one remains to be painted."""
    return min(COARSEST_FINE, side).bit_length() - 3
