"""CycleGAN: two translations that undo each other (Zhu, Park, Isola, Efros, ICCV 2017)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from torch import nn

from sakuga.errors import UsageError
from sakuga.losses import ImagePool, l1, lsgan
from sakuga.networks.patchgan import PatchGAN
from sakuga.networks.resnet import ResNetGenerator
from sakuga.networks.unet import UNet
from sakuga.systems.base import Batch, Terms, forward_concatenated, frozen
from sakuga.systems.fields import AtLeast, Weight
from sakuga.systems.parts.schedules import linear_decay
from sakuga.systems.parts.unpaired import Unpaired, UnpairedConfig


@dataclass
class CycleGANConfig(UnpairedConfig):
    """What `sakuga train cyclegan` can be told; the paper's values, its 200 epochs for 1,000 pictures."""

    batch: int = 1
    lr: float = 2e-4
    steps: int = 200_000
    cycle: Weight = 10.0
    """Weight of the cycle consistency, λ."""
    identity: Weight = 0.5
    """Weight of the identity term as a part of λ; 0 leaves it out."""
    body: Literal["resnet", "unet"] = "resnet"
    """Generators: residual, or pix2pix's U-Net, which ties the output closer to the photo's edges."""
    blocks: Annotated[int, AtLeast(0)] = 9
    """Residual blocks: 9 for 256 pixels, 6 for 128."""
    upsample: Literal["deconv", "resize"] = "deconv"
    """How the residual generators enlarge: as published, or by resizing first, against checkerboards."""
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of every network's first layer."""
    pool: Annotated[int, AtLeast(0)] = 50
    """Earlier fakes that each discriminator is shown again."""


class CycleGAN(Unpaired):
    """Unpaired translation with cycle consistency, photo to style and back.

    L_G = (D_S(G(x)) - 1)² + (D_P(F(y)) - 1)² + λ (‖F(G(x)) - x‖₁ + ‖G(F(y)) - y‖₁) + λ/2 (‖F(x) - x‖₁ + ‖G(y) - y‖₁),
    L_D = ½ Σ ((D(real) - 1)² + D(pooled fake)²), norms averaged over pixels.

    Source: Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017,
    equations 1 to 3, sections 4 and 5.2 (identity); halves and pool as in the official code.
    """

    name = "cyclegan"
    betas = (0.5, 0.999)
    players = {"G": ["generator", "inverse"], "D": ["discriminator_style", "discriminator_photo"]}  # noqa: RUF012
    averaged = exportable = ("generator", "inverse")
    stateful = ("pool_style", "pool_photo")
    Config = CycleGANConfig

    def __init__(self, config: CycleGANConfig):
        super().__init__(config)
        if config.body == "unet" and config.crop % 256:
            raise UsageError(f"--crop {config.crop} must be a multiple of 256 with --body unet")
        if config.body == "unet" and config.upsample != "deconv":
            raise UsageError("--upsample resize is of the residual generators; leave it out with --body unet")
        if config.crop < 24:
            raise UsageError(f"--crop {config.crop} must be 24 or more: the discriminators halve it three times")
        self.generator, self.inverse = self._body(), self._body()
        self.discriminator_style, self.discriminator_photo = PatchGAN(width=config.width), PatchGAN(width=config.width)
        self.pool_style, self.pool_photo = (ImagePool(config.pool, seed=config.seed + i) for i in (0, 1))

    def _body(self) -> nn.Module:
        c = self.config
        if c.body == "unet":
            return UNet(width=c.width, norm="instance", dropout=())
        return ResNetGenerator(width=c.width, blocks=c.blocks, upsample=c.upsample)

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """Both generators, then both discriminators on the same fakes."""
        c, x, y = self.config, batch["photo"], batch["style"]
        if c.identity:
            fake_y, same_y = forward_concatenated(self.generator, x, y)
            fake_x, same_x = forward_concatenated(self.inverse, y, x)
        else:
            fake_y, fake_x = self.generator(x), self.inverse(y)
        with frozen(self.discriminator_style, self.discriminator_photo):
            scores = self.discriminator_style(self.augment(fake_y)), self.discriminator_photo(self.augment(fake_x))
        terms = {
            "adversarial": lsgan.g(scores[0]) + lsgan.g(scores[1]),
            "cycle": c.cycle * (l1(self.inverse(fake_y), x) + l1(self.generator(fake_x), y)),
        }
        if c.identity:
            terms["identity"] = c.identity * c.cycle * (l1(same_x, x) + l1(same_y, y))
        yield "G", terms

        sides = {
            "style": (self.discriminator_style, y, self.pool_style(fake_y)),
            "photo": (self.discriminator_photo, x, self.pool_photo(fake_x)),
        }
        yield (
            "D",
            {
                name: lsgan.d(*forward_concatenated(discriminator, self.augment(real), self.augment(fake))) / 2
                for name, (discriminator, real, fake) in sides.items()
            },
        )

    def rate(self, t: int, player: str) -> float:
        """Constant for the first half, then falling linearly."""
        return linear_decay(t, self.config.steps)
