"""pix2pix: translation learned from pairs by a conditional GAN (Isola, Zhu, Zhou, Efros, CVPR 2017)."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch

from sakuga.data.dataset import Dataset, sample_squares
from sakuga.data.pairs import load_pairs
from sakuga.errors import UsageError
from sakuga.losses import bce, l1
from sakuga.networks.patchgan import PatchGAN
from sakuga.networks.unet import UNet, per_picture
from sakuga.systems.artefact import Artefact, translation
from sakuga.systems.base import Batch, Config, Preview, System, Terms, frozen
from sakuga.systems.fields import AtLeast, Count, Role, Weight
from sakuga.systems.parts.schedules import linear_decay


@dataclass
class Pix2PixConfig(Config):
    """What `sakuga train pix2pix` can be told; the paper's values, its 200 epochs for 400 pairs."""

    photos: Annotated[tuple[Path, ...], Role("pairs", required=True, of="folder")] = ()
    """A folder of pictures side by side, or of inputs if `targets` is given."""
    targets: Annotated[Path | None, Role("pairs", of="folder")] = None
    """Folder of the wanted pictures, named like the inputs."""
    direction: Literal["AtoB", "BtoA"] = "AtoB"
    """From the left (or `photos`) to the right (or `targets`), or back."""
    load: Count = 286
    """Shorter side to which pictures are scaled before they are cropped, pixels."""
    batch: int = 1
    lr: float = 2e-4
    steps: int = 80_000
    l1: Weight = 100.0
    """Weight of the L1 term, λ."""
    width: Annotated[int, AtLeast(2)] = 64
    """Channels of both networks' first layer."""
    levels: Annotated[int, AtLeast(2)] = 8
    """Halvings of the U-Net; the crop must be a multiple of 2 to this power."""
    dropout: tuple[int, ...] = (1, 2, 3)
    """Decoder stages, from the innermost, that drop half of their channels' values while training; the official PyTorch
    code's are 2, 3 and 4."""
    statistics: Literal["auto", "picture", "running"] = "auto"
    """What the norms of the finished style measure: the picture at hand, as published, or the training's average,
    under which equal surroundings look equal in every picture. By default the picture with --batch 1, which is what it
    trained on, and the average with larger ones; name `picture` where processes or --accumulate leave parts of one."""

    @property
    def short_side(self) -> int:
        """Shorter side of all pictures, pixels."""
        return max(self.load, self.crop)


class Pix2Pix(System):
    """A U-Net that paints what a PatchGAN, seeing input and output together, takes for the target.

    L_G = -log D(x, G(x)) + λ ‖y - G(x)‖₁, L_D = ½ (-log D(x, y) - log(1 - D(x, G(x)))), averaged over patches and
    pixels. The paper's noise is dropout in the U-Net, kept on when it is used; a style file is a function, so there
    dropout is off, and `statistics` says what its norms measure.

    Source: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017, equations 1,
    3 and 4, sections 3.3 and 6.2.
    """

    name = "pix2pix"
    betas = (0.5, 0.999)
    players = {"G": ["generator"], "D": ["discriminator"]}  # noqa: RUF012
    channels_last = False
    Config = Pix2PixConfig

    def __init__(self, config: Pix2PixConfig):
        super().__init__(config)
        if config.crop % 2**config.levels:
            raise UsageError(
                f"--crop {config.crop} must be a multiple of {2**config.levels} with --levels {config.levels}"
            )
        if config.crop < 24:
            raise UsageError(f"--crop {config.crop} must be 24 or more: the discriminator halves it three times")
        self.generator = UNet(width=config.width, levels=config.levels, dropout=config.dropout)
        self.discriminator = PatchGAN(6, width=config.width, norm="batch")

    def data(self) -> Dataset:
        """The same crops of inputs and targets."""
        c = self.config
        pairs = load_pairs(c.photos[0], c.targets, short_side=c.short_side)
        inputs, targets = pairs if c.direction == "AtoB" else pairs[::-1]
        return Dataset({"input": inputs, "target": targets}, c)

    def step(self, batch: Batch, t: int) -> Iterator[tuple[str, Terms]]:
        """D on the fake, then G, as in the official code."""
        x, y = batch["input"], batch["target"]
        fake = self.generator(x)
        scores = self.discriminator(torch.cat([x, y], 1)), self.discriminator(torch.cat([x, fake.detach()], 1))
        yield "D", {"pair": bce.d(*scores) / 2}

        with frozen(self.discriminator):
            fooled = bce.g(self.discriminator(torch.cat([x, fake], 1)))
        yield "G", {"adversarial": fooled, "l1": self.config.l1 * l1(fake, y)}

    def rate(self, t: int, player: str) -> float:
        """Constant for the first half, then falling linearly."""
        return linear_decay(t, self.config.steps)

    def artefact(self, network: str | None = None) -> Artefact:
        """The U-Net with the statistics that `statistics` names."""
        c = self.config
        picture = c.batch == 1 if c.statistics == "auto" else c.statistics == "picture"
        return translation(per_picture(copy.deepcopy(self.generator)) if picture else self.generator)

    def preview(self) -> Preview:
        """Four inputs from all over the collection, and up to 64 targets."""
        inputs, targets = self.dataset.pictures("input"), self.dataset.pictures("target")
        return Preview({"image": sample_squares(inputs)}, sample_squares(targets, count=64))
